-- Returns: the indexes of all user tables with the numbers of their key columns (0 for an expression), by table oid.
-- Cost: one pass over pg_index and pg_class.
-- Locks: none beyond AccessShareLock on the system catalogs (no pg_get_indexdef or pg_get_expr, which lock).
SELECT x.indrelid::bigint AS "table",
       x.indexrelid::bigint AS oid,
       ic.relname::text AS name,
       (x.indkey::int2[])[0:x.indnkeyatts - 1] AS columns,
       am.amname::text AS method,
       x.indisunique AS is_unique,
       x.indisprimary AS is_primary,
       x.indisvalid AND x.indisready AND x.indislive AS is_valid,
       x.is_partial,
       x.indnullsnotdistinct AS nulls_not_distinct
FROM (SELECT false AS indnullsnotdistinct) AS before_15
-- A column that the server's version does not have is that of the row before.
CROSS JOIN LATERAL (
    SELECT indrelid, indexrelid, indkey, indnkeyatts, indisunique, indisprimary, indisvalid, indisready, indislive,
           indpred IS NOT NULL AS is_partial, indnullsnotdistinct
    FROM pg_index
) AS x
JOIN pg_class AS ic ON ic.oid = x.indexrelid
JOIN pg_am AS am ON am.oid = ic.relam
JOIN pg_class AS c ON c.oid = x.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY x.indrelid, ic.relname COLLATE "C"
