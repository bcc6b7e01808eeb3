-- Returns: the logical slots that bear a name as pgvigil gives them, in all databases of the server: what each keeps, in
--          bytes, and the process that uses it.
-- Cost: a view without a table behind it. Locks: none.
SELECT slot_name::text AS name,
       pg_postmaster_start_time()::text AS server,
       database::text AS database,
       active_pid,
       CASE WHEN wal_status <> 'lost'
           THEN greatest(
               0,
               CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END - restart_lsn
           )::int8
       END AS retained
FROM pg_replication_slots
WHERE slot_name ~ '^pgvigil_[0-9a-f]{{16}}$' AND plugin = 'test_decoding'
ORDER BY slot_name
