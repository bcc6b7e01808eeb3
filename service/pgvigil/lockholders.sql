-- Returns: a row for each lock that keeps others from reading these tables, what views among them read, or all tables where
--          none are given: on which table, partition or index, of which process or prepared transaction, held or awaited,
--          and behind whom. Those held come first.
-- Cost: copies all locks of the server twice: 0.2 ms, 2 ms for 1,000 of them.
-- Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE tables (oid) AS (
    SELECT unnest({oids}::oid[])
    UNION
    SELECT below.oid
    FROM tables, LATERAL (
        SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = tables.oid
        UNION ALL
        SELECT d.refobjid
        FROM pg_rewrite AS r
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE r.ev_class = tables.oid AND d.refclassid = 'pg_class'::regclass
    ) AS below (oid)
),
locks AS MATERIALIZED (
    -- No process has the locks of a prepared transaction. That on its own number tells which one it is.
    SELECT l.*,
           CASE WHEN l.pid IS NULL
               THEN coalesce('the prepared transaction ' || quote_literal(x.gid), 'a prepared transaction')
           END AS prepared
    FROM pg_locks AS l
    LEFT JOIN pg_locks AS own
        ON l.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid'
        AND own.virtualtransaction = l.virtualtransaction
    LEFT JOIN pg_prepared_xacts AS x ON x.transaction = own.transactionid
)
SELECT l.relation::regclass::text AS name,
       l.pid,
       l.prepared,
       nullif(a.application_name, '') AS application,
       l.granted,
       (SELECT string_agg(blocking.who, ', ' ORDER BY blocking.pid, blocking.who)
        FROM (
            SELECT DISTINCT b.pid, CASE b.pid WHEN 0
                THEN coalesce(p.prepared, 'a prepared transaction')
                ELSE format('%s%s', b.pid, ' (' || nullif(other.application_name, '') || ')')
            END AS who
            FROM unnest(pg_blocking_pids(l.pid)) AS b (pid)
            LEFT JOIN pg_stat_activity AS other ON other.pid = b.pid
            LEFT JOIN locks AS p
                ON b.pid = 0 AND p.pid IS NULL AND p.database = l.database AND p.relation = l.relation
        ) AS blocking
        WHERE NOT l.granted) AS behind
FROM locks AS l
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'relation'
  AND l.mode = 'AccessExclusiveLock'
  AND l.relation >= 16384
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND ({oids}::oid[] = '{{}}'
       OR l.relation IN (SELECT oid FROM tables)
       OR l.relation IN (SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT oid FROM tables)))
ORDER BY l.granted DESC, l.pid
LIMIT 3
