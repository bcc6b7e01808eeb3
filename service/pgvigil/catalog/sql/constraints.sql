-- Returns: the constraints of all user tables but for NOT NULL, which the columns have, by table and name. What
--          a CHECK or EXCLUDE says is a digest: to write it down as SQL the server would lock the table.
-- Cost: one pass over pg_constraint, hashed with pg_class, and one over pg_attribute.
-- Locks: none beyond AccessShareLock on the system catalogs (no pg_get_constraintdef or pg_get_expr, which lock).
WITH k AS MATERIALIZED (
    SELECT k.* FROM (SELECT true AS conenforced, false AS conperiod) AS before_18
    -- Columns that the server's version does not have are those of the row before.
    CROSS JOIN LATERAL (
        SELECT oid, conname, contype, conrelid, conindid, confrelid, conkey, confkey, confmatchtype, confupdtype,
               confdeltype, condeferrable, condeferred, convalidated, conenforced, conperiod,
               -- The places where words stood in a statement say nothing of what it means.
               md5(regexp_replace(conbin::text, ':location -?[0-9]+', '', 'g')) AS expression,
               conexclop::oid[]::text AS operators
        FROM pg_constraint
        WHERE contype IN ('c', 'f', 'p', 't', 'u', 'x') AND conrelid <> 0 AND (contype <> 'f' OR conparentid = 0)
    ) AS k
),
named AS (
    SELECT k.oid,
           array_agg(a.attname::text ORDER BY u.position) FILTER (WHERE u.child) AS columns,
           array_agg(a.attname::text ORDER BY u.position) FILTER (WHERE NOT u.child) AS parent_columns
    FROM k
    CROSS JOIN LATERAL (
        SELECT true AS child, conrelid AS "table", number, position
        FROM unnest(k.conkey) WITH ORDINALITY AS c (number, position)
        UNION ALL
        SELECT false, confrelid, number, position
        FROM unnest(k.confkey) WITH ORDINALITY AS p (number, position)
    ) AS u
    JOIN pg_attribute AS a ON a.attrelid = u."table" AND a.attnum = u.number
    GROUP BY k.oid
)
SELECT k.oid::bigint AS oid,
       k.conrelid::bigint AS "table",
       k.conname::text AS name,
       k.contype::text AS kind,
       named.columns,
       k.confrelid::bigint AS parent,
       named.parent_columns,
       k.confmatchtype::text AS match,
       k.confupdtype::text AS on_update,
       k.confdeltype::text AS on_delete,
       k.condeferrable AS deferrable,
       k.condeferred AS deferred,
       k.convalidated AS validated,
       k.conenforced AS enforced,
       k.conperiod AS period,
       coalesce(k.expression, '') || coalesce(k.operators, '') AS expression
FROM k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN named ON named.oid = k.oid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY k.conrelid, k.conname COLLATE "C"
