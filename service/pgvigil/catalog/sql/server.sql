-- Returns: one row about the server and the database of the session, with the names of its user schemas and, in
--          the same order, of their owners.
-- Cost: one pass over pg_namespace. Locks: none beyond AccessShareLock on it.
WITH schemas AS (
    SELECT nspname, nspowner
    FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
      AND nspname NOT LIKE 'pg\_temp\_%'
      AND nspname NOT LIKE 'pg\_toast\_temp\_%'
)
SELECT current_setting('server_version_num')::int AS server_version,
       current_database()::text AS database,
       current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS in_recovery,
       (
           SELECT array_agg(nspname::text ORDER BY nspname COLLATE "C") FROM schemas
       ) AS schemas,
       (
           SELECT array_agg(pg_get_userbyid(nspowner)::text ORDER BY nspname COLLATE "C") FROM schemas
       ) AS schema_owners
