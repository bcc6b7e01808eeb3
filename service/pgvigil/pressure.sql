-- What says how busy others keep the server: one row. Columns are NULL where the role may not see it.
--
-- Cost: a look at the server's shared memory, as many steps as there are sessions; no table is read.
-- Locks: none. The functions below the views pg_stat_activity and pg_stat_replication, which join catalogs to them.
--
-- `pgvigil%` are sessions of ours, also of another instance. Who may not see the sessions of others still sees how
-- many there are, with those of autovacuum among them, and every lock that is waited for.
WITH
sessions AS MATERIALIZED (
    SELECT pid, datid, application_name, state, wait_event_type, xact_start, backend_xid, backend_xmin, backend_type
    FROM pg_stat_get_activity(NULL)
),
of_others AS MATERIALIZED (
    SELECT * FROM sessions
    WHERE pid <> pg_backend_pid() AND (application_name IS NULL OR application_name NOT LIKE 'pgvigil%')
),
rights AS MATERIALIZED (
    SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all
),
replicas AS MATERIALIZED (
    SELECT count(*) AS known, max(replay_lag) AS lag, min(replay_lsn) AS replayed FROM pg_stat_get_wal_senders()
)
SELECT
    CASE WHEN sees_all AND current_setting('track_activities')::bool THEN (
        SELECT count(*)::int8 FROM of_others WHERE backend_type = 'client backend' AND state = 'active'
    ) END AS active_sessions,
    CASE WHEN sees_all THEN (
        SELECT count(*)::int8 FROM of_others WHERE wait_event_type = 'Lock' AND backend_type = 'client backend'
    ) ELSE (
        SELECT count(DISTINCT pid)::int8 FROM pg_locks WHERE NOT granted
    ) END AS lock_waits,
    CASE
        WHEN pg_is_in_recovery()
            AND coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) <= pg_last_wal_replay_lsn()
        THEN 0::float8
        WHEN pg_is_in_recovery()
        THEN extract(
            epoch FROM clock_timestamp() - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())
        )::float8
        WHEN replicas.known = 0 THEN 0::float8
        -- The lag that was measured last stays for some seconds when a replica has caught up.
        WHEN replicas.replayed >= pg_current_wal_lsn() THEN 0::float8
        WHEN sees_all THEN coalesce(extract(epoch FROM replicas.lag), 0)::float8
    END AS replica_lag,
    CASE WHEN sees_all THEN greatest(
        0::float8,
        (
            SELECT extract(epoch FROM clock_timestamp() - min(xact_start))::float8 FROM of_others
            WHERE backend_type = 'client backend' AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
        ),
        (SELECT extract(epoch FROM clock_timestamp() - min(prepared))::float8 FROM pg_prepared_xacts)
    ) END AS oldest_snapshot,
    (
        current_setting('max_connections')::int8
        - current_setting('superuser_reserved_connections')::int8
        - coalesce(current_setting('reserved_connections', true), '0')::int8
        - (
            SELECT count(*)::int8 FROM sessions
            WHERE CASE WHEN sees_all THEN backend_type = 'client backend' ELSE datid IS NOT NULL END
        )
    ) AS connections_left
FROM rights, replicas
