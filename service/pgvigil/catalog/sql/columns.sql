-- Returns: the columns of all user tables, by table oid and position.
-- Cost: one pass over pg_attribute with hashes of pg_type and pg_collation; the recursion walks domains only.
-- Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE base (oid, base) AS (
    SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
    UNION ALL
    SELECT t.oid, base.base FROM pg_type AS t JOIN base ON base.oid = t.typbasetype WHERE t.typtype = 'd'
)
SELECT a.attrelid::bigint AS "table",
       a.attname::text AS name,
       a.attnum::int AS number,
       format_type(a.atttypid, a.atttypmod) AS type,
       format_type(b.oid, NULL) AS base_type,
       b.typcategory::text AS category,
       a.attnotnull AS not_null,
       cn.nspname::text AS collation_schema,
       co.collname::text AS collation_name,
       coalesce(co.collisdeterministic, true) AS deterministic,
       -- Arrays, composites, enums, ranges and multiranges compare through polymorphic operators.
       b.typtype IN ('e', 'r', 'm', 'c') OR b.typcategory = 'A' OR EXISTS (
           SELECT FROM pg_opclass AS oc
           JOIN pg_am AS am ON am.oid = oc.opcmethod
           WHERE am.amname IN ('btree', 'hash') AND oc.opcdefault AND oc.opcintype IN (b.oid, bc.casttarget)
       ) AS comparable,
       a.attgenerated <> '' AS generated
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN base ON base.oid = a.atttypid
JOIN pg_type AS b ON b.oid = base.base
-- varchar has no operator class of its own: it is compared as the type that it is binary coercible to.
LEFT JOIN LATERAL (
    SELECT k.casttarget FROM pg_cast AS k
    WHERE k.castsource = b.oid AND k.castmethod = 'b' AND k.castcontext = 'i'
    ORDER BY k.casttarget LIMIT 1
) AS bc ON true
LEFT JOIN pg_collation AS co ON co.oid = a.attcollation
LEFT JOIN pg_namespace AS cn ON cn.oid = co.collnamespace
WHERE a.attnum > 0
  AND NOT a.attisdropped
  AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY a.attrelid, a.attnum
