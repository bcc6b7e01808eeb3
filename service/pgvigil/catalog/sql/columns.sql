-- Returns: the columns of all user tables, by table oid and position.
-- Cost: one pass over pg_attribute with hashes of pg_type and pg_collation; the recursions walk domains
--       and the types that contain one without an equality operator.
-- Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE domains (oid, base) AS (
    SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT domains.oid, t.typbasetype FROM domains JOIN pg_type AS t ON t.oid = domains.base WHERE t.typtype = 'd'
),
-- What a value of a type consists of: the type under a domain, elements of an array, fields of a composite. Every
-- table is a composite: they are put together once, not at each step of the recursion.
parts (whole, part) AS MATERIALIZED (
    SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT oid, typelem FROM pg_type WHERE typelem <> 0 AND typsubscript = 'array_subscript_handler'::regproc
    UNION ALL
    SELECT t.oid, f.atttypid FROM pg_type AS t JOIN pg_attribute AS f ON f.attrelid = t.typrelid
    WHERE t.typtype = 'c' AND f.attnum > 0 AND NOT f.attisdropped
),
-- A base type compares through an operator class of its own or, as varchar, of a type that it is binary
-- coercible to; enums, ranges, arrays and composites through polymorphic ones, as far as their parts compare.
ordered (oid) AS (
    SELECT oc.opcintype FROM pg_opclass AS oc JOIN pg_am AS am ON am.oid = oc.opcmethod
    WHERE am.amname IN ('btree', 'hash') AND oc.opcdefault
),
incomparable (oid) AS (
    (
        SELECT t.oid FROM pg_type AS t
        WHERE t.typtype = 'b' AND NOT (t.typelem <> 0 AND t.typsubscript = 'array_subscript_handler'::regproc)
        EXCEPT
        SELECT oid FROM ordered
        EXCEPT
        SELECT k.castsource FROM pg_cast AS k JOIN ordered ON ordered.oid = k.casttarget
        WHERE k.castmethod = 'b' AND k.castcontext = 'i'
    )
    UNION
    SELECT parts.whole FROM incomparable JOIN parts ON parts.part = incomparable.oid
)
SELECT a.attrelid::bigint AS "table",
       a.attname::text AS name,
       a.attnum::int AS number,
       format_type(a.atttypid, a.atttypmod) AS type,
       format_type(b.oid, NULL) AS base_type,
       b.typcategory::text AS category,
       -- From version 18 on the constraint may be NOT VALID, and older rows NULL.
       a.attnotnull AND NOT EXISTS (
           SELECT FROM pg_constraint AS k
           WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND NOT k.convalidated AND a.attnum = ANY (k.conkey)
       ) AS not_null,
       cn.nspname::text AS collation_schema,
       co.collname::text AS collation_name,
       coalesce(co.collisdeterministic, true) AS deterministic,
       incomparable.oid IS NULL AS comparable,
       a.attgenerated <> '' AS generated,
       a.attidentity::text AS identity,
       a.atthasdef OR a.attidentity <> '' AS filled
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN (
    SELECT domains.oid, domains.base FROM domains JOIN pg_type AS t ON t.oid = domains.base WHERE t.typtype <> 'd'
) AS d ON d.oid = a.atttypid
JOIN pg_type AS b ON b.oid = coalesce(d.base, a.atttypid)
LEFT JOIN incomparable ON incomparable.oid = b.oid
LEFT JOIN pg_collation AS co ON co.oid = a.attcollation
LEFT JOIN pg_namespace AS cn ON cn.oid = co.collnamespace
WHERE a.attnum > 0
  AND NOT a.attisdropped
  AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY a.attrelid, a.attnum
