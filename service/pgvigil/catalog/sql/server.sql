-- Returns: one row about the server and the database of the session, with the names of its user schemas.
-- Cost: one pass over pg_namespace. Locks: none beyond AccessShareLock on it.
SELECT current_setting('server_version_num')::int AS server_version,
       current_database()::text AS database,
       current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS in_recovery,
       (
           SELECT array_agg(nspname::text ORDER BY nspname COLLATE "C")
           FROM pg_namespace
           WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
             AND nspname NOT LIKE 'pg\_temp\_%'
             AND nspname NOT LIKE 'pg\_toast\_temp\_%'
       ) AS schemas
