-- Returns: the indexes of all user tables with their key columns (NULL for an expression), by table oid.
-- Cost: one pass over pg_index; columns are looked up in pg_attribute through its index.
-- Locks: none beyond AccessShareLock on the system catalogs (no pg_get_indexdef or pg_get_expr, which lock).
SELECT x.indrelid::bigint AS "table",
       x.indexrelid::bigint AS oid,
       ic.relname::text AS name,
       (
           SELECT array_agg(a.attname::text ORDER BY k.position)
           FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, position)
           LEFT JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.number AND k.number > 0
           WHERE k.position <= x.indnkeyatts
       ) AS columns,
       am.amname::text AS method,
       x.indisunique AS is_unique,
       x.indisprimary AS is_primary,
       x.indisvalid AND x.indisready AND x.indislive AS is_valid,
       x.indpred IS NOT NULL AS is_partial,
       -- The column came with version 15.
       coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct
FROM pg_index AS x
JOIN pg_class AS ic ON ic.oid = x.indexrelid
JOIN pg_am AS am ON am.oid = ic.relam
JOIN pg_class AS c ON c.oid = x.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY x.indrelid, ic.relname COLLATE "C"
