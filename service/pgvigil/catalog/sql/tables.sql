-- Returns: every table, partitioned table, foreign table, view and materialised view outside the system schemas
--          and other sessions' temporary ones.
-- Cost: one scan of pg_class, one hash each of pg_inherits and pg_authid. Sizes are relpages, not
--       pg_relation_size(): that would wait for whoever holds an exclusive lock on a table.
-- Locks: none beyond AccessShareLock on the system catalogs.
SELECT c.oid::bigint AS oid,
       n.nspname::text AS schema,
       c.relname::text AS name,
       c.relkind::text AS kind,
       pg_get_userbyid(c.relowner)::text AS owner,
       c.relispartition AND NOT i.is_detaching AS is_partition,
       i.parents,
       -- relhassubclass stays true for a while after the last child is gone.
       c.relkind <> 'p' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) AS has_children,
       c.relpersistence = 'p' AS logged,
       c.relfilenode::bigint AS file,
       c.relrowsecurity AS row_security,
       c.relforcerowsecurity AS row_security_forced,
       nullif(c.reltuples, -1)::float8 AS rows_estimate,
       c.relpages::bigint AS pages
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN (
    -- Once DETACH CONCURRENTLY has begun the rows are no longer seen through the parent.
    SELECT inhrelid,
           array_agg(inhparent::bigint ORDER BY inhseqno) FILTER (WHERE NOT inhdetachpending) AS parents,
           bool_or(inhdetachpending) AS is_detaching
    FROM pg_inherits
    GROUP BY inhrelid
) AS i ON i.inhrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
