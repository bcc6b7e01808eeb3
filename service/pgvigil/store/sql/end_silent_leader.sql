-- Ends the session that holds the leader's lock, when it has not asked anything for so many seconds: its daemon is
-- paused or cut off, as one that runs asks all the time. By the server's clock, and among sessions of the same
-- role, which need no further right for it. Returns a row for the session that was ended.
-- Cost: reads the lock table and the list of sessions. Locks: none.
SELECT pg_catalog.pg_terminate_backend(a.pid)
FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND a.datname = pg_catalog.current_database() AND a.usename = current_user AND l.database = a.datid
    AND (l.classid::bigint << 32) | l.objid::bigint
        = pg_catalog.hashtextextended('pgvigil leader of ' || pg_catalog.current_schema(), 0)
    AND a.state = 'idle'
    AND a.state_change < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %s)
