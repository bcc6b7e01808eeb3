-- Returns: one row that is the same as an earlier one only if no transaction committed in between on the whole
--          server, and it is the same server, not restarted, with the same configuration.
-- Cost: no table but pg_database is read. Locks: none beyond AccessShareLock on it.
SELECT pg_postmaster_start_time()::text AS started,
       -- After the crash of a session the server goes on, and WAL that was not flushed is gone: these begin anew.
       pg_stat_get_bgwriter_stat_reset_time()::text AS counted_since,
       -- What ALTER SYSTEM sets is in no WAL.
       pg_conf_load_time()::text AS configured,
       (SELECT oid FROM pg_database WHERE datname = current_database())::bigint AS database,
       current_user::text AS role,
       pg_is_in_recovery() AS in_recovery,
       CASE
           WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
           ELSE pg_current_wal_insert_lsn()
       END::text AS lsn,
       CASE WHEN NOT pg_is_in_recovery() THEN (pg_current_wal_insert_lsn() - '0/0')::int8 END AS written,
       -- The timeline that is written, which the control file knows with the next checkpoint only.
       CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END AS timeline,
       current_setting('wal_block_size')::int8 AS page,
       pg_size_bytes(current_setting('wal_segment_size')) AS segment,
       -- A commit is in the WAL before others see it; here its transaction still goes on.
       pg_current_snapshot()::text AS snapshot,
       -- Rows may be written that are in no WAL of this server: its storage has none of this kind, or they lie on others.
       coalesce(to_regproc('aurora_version'), to_regproc('yb_servers')) IS NOT NULL
           OR to_regclass('pg_dist_partition') IS NOT NULL AS foreign_storage,
       has_function_privilege('pg_control_system()', 'EXECUTE')
           AND has_function_privilege('pg_control_checkpoint()', 'EXECUTE') AS may_tell
