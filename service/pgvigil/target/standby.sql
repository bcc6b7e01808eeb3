-- Returns: one row about a standby: whether it is one, up to where it has replayed (bytes), of which cluster and
--          database, what it receives (`timeline` is NULL where the role may not see it, or nothing is received), what
--          holds its replay, and `incarnation`, another one after each restart and each crash.
-- Cost: the control file and shared memory; no table but pg_database. Locks: none beyond AccessShareLock on it.
SELECT pg_is_in_recovery() AS in_recovery,
       (pg_last_wal_replay_lsn() - '0/0')::int8 AS replayed,
       concat_ws(' ', pg_postmaster_start_time(), pg_stat_get_bgwriter_stat_reset_time()) AS incarnation,
       (SELECT system_identifier FROM pg_control_system())::text AS cluster,
       (SELECT oid FROM pg_database WHERE datname = current_database())::bigint AS database,
       (SELECT received_tli FROM pg_stat_get_wal_receiver()) AS timeline,
       pg_has_role('pg_read_all_stats', 'USAGE') AS may_see,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS paused,
       extract(epoch FROM current_setting('recovery_min_apply_delay')::interval)::float8 AS delay
