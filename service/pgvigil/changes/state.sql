-- Returns: one row: what kind of server this is, what it allows, and how the slot stands (NULLs when there is none).
--          LSNs are numbers of bytes, `xid` is a transaction id of about now, `keep_bytes` is NULL when the server
--          bounds no slot.
-- Cost: two views without tables behind them. Locks: none.
SELECT pg_is_in_recovery() AS in_recovery,
       current_setting('wal_level') AS wal_level,
       (SELECT 1048576 * nullif(setting::int8, -1) FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS keep_bytes,
       pg_postmaster_start_time()::text || ' ' || d.oid AS server,
       (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user) AS may_replicate,
       quote_ident(current_user) AS role,
       pg_snapshot_xmax(pg_current_snapshot())::text::int8 AS xid,
       CASE WHEN NOT pg_is_in_recovery() THEN (pg_current_wal_insert_lsn() - '0/0')::int8 END AS written,
       (SELECT count(*) FROM pg_replication_slots) AS slots,
       current_setting('max_replication_slots')::int8 AS most_slots,
       s.slot_name IS NOT NULL AS exists,
       s.plugin::text AS plugin,
       s.database::text AS slot_database,
       current_database()::text AS database,
       s.wal_status AS wal_status,
       s.active_pid AS active_pid,
       (s.restart_lsn - '0/0')::int8 AS restart,
       (s.confirmed_flush_lsn - '0/0')::int8 AS confirmed
FROM pg_database AS d
LEFT JOIN pg_replication_slots AS s ON s.slot_name = {slot}
WHERE d.datname = current_database()
