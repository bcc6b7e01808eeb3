-- Returns: what the catalog does not hold of the definitions of all user tables, by table and name: constraints but
--          for NOT NULL, which the columns have, unique indexes in force that belong to none (kind i), and
--          generated columns (kind g). What an expression says is a digest: to write it down as SQL the server
--          would lock the table. With it come the oids of what it calls, and the numbers of the columns it reads.
-- Cost: one pass each over pg_constraint, pg_index and pg_attrdef, hashed with pg_class, and one over pg_attribute.
-- Locks: none beyond AccessShareLock on the system catalogs (no pg_get_constraintdef or pg_get_expr, which lock).
WITH constraints AS MATERIALIZED (
    SELECT k.* FROM (SELECT NULL::int2[] AS confdelsetcols, true AS conenforced, false AS conperiod) AS before_15_or_18
    -- Columns that the server's version does not have are those of the row before.
    CROSS JOIN LATERAL (
        SELECT oid, conname, contype, conrelid, conindid, confrelid, conkey, confkey, confmatchtype, confupdtype,
               confdeltype, confdelsetcols, condeferrable, condeferred, convalidated, conenforced, conperiod,
               contype = 'c' AND connoinherit AS no_inherit, conbin::text AS body,
               (SELECT string_agg(':opno ' || o.oid, ' ') FROM unnest(conexclop::oid[]) AS o (oid)) AS operators
        FROM pg_constraint
        WHERE contype IN ('c', 'f', 'p', 't', 'u', 'x') AND conrelid <> 0 AND (contype <> 'f' OR conparentid = 0)
    ) AS k
),
indexes AS MATERIALIZED (
    SELECT x.* FROM (SELECT false AS indnullsnotdistinct) AS before_15
    CROSS JOIN LATERAL (
        SELECT indexrelid, indrelid, (indkey::int2[])[0:indnkeyatts - 1] AS numbers, indnullsnotdistinct,
               indpred IS NOT NULL AS is_partial, concat_ws(' ', indexprs::text, indpred::text) AS body,
               indisunique AND indisvalid AND indisready AND indislive AS in_force
        FROM pg_index
        WHERE indisunique OR indisexclusion
    ) AS x
),
k AS MATERIALIZED (
    SELECT c.oid, c.conrelid AS "table", c.conname AS name, c.contype::text AS kind, c.conkey AS numbers, c.confrelid,
           c.confkey, c.confmatchtype, c.confupdtype, c.confdeltype, c.confdelsetcols, c.condeferrable, c.condeferred,
           c.convalidated, c.conenforced, c.conperiod, c.no_inherit,
           coalesce(x.indnullsnotdistinct, false) AS nulls_not_distinct, coalesce(x.is_partial, false) AS is_partial,
           concat_ws(' ', c.body, nullif(x.body, ''), c.operators) AS body
    FROM constraints AS c
    LEFT JOIN indexes AS x ON x.indexrelid = c.conindid AND c.contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT x.indexrelid, x.indrelid, i.relname, 'i', x.numbers, 0, NULL, NULL, NULL, NULL, NULL, false, false,
           true, true, false, false, x.indnullsnotdistinct, x.is_partial, x.body
    FROM indexes AS x
    JOIN pg_class AS i ON i.oid = x.indexrelid
    WHERE x.in_force
      AND NOT EXISTS (
          SELECT FROM constraints AS c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x')
      )
    UNION ALL
    SELECT d.oid, d.adrelid, a.attname, 'g', ARRAY[d.adnum], 0, NULL, NULL, NULL, NULL, NULL, false, false,
           true, true, false, false, false, false, d.adbin::text
    FROM pg_attrdef AS d
    JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
),
named AS (
    SELECT k."table", k.oid,
           -- The key columns of an index may be expressions.
           array_agg(coalesce(a.attname::text, '') ORDER BY u.position)
               FILTER (WHERE u.side = 'child' AND (a.attnum IS NOT NULL OR k.kind = 'i')) AS columns,
           array_agg(a.attname::text ORDER BY u.position) FILTER (WHERE u.side = 'parent') AS parent_columns,
           array_agg(a.attname::text ORDER BY u.position) FILTER (WHERE u.side = 'set') AS set_columns
    FROM k
    CROSS JOIN LATERAL (
        SELECT 'child' AS side, k."table", number, position
        FROM unnest(k.numbers) WITH ORDINALITY AS c (number, position)
        UNION ALL
        SELECT 'parent', k.confrelid, number, position
        FROM unnest(k.confkey) WITH ORDINALITY AS p (number, position)
        UNION ALL
        SELECT 'set', k."table", number, position
        FROM unnest(k.confdelsetcols) WITH ORDINALITY AS s (number, position)
    ) AS u
    LEFT JOIN pg_attribute AS a ON a.attrelid = u."table" AND a.attnum = u.number
    GROUP BY k."table", k.oid
)
SELECT k.oid::bigint AS oid,
       k."table"::bigint AS "table",
       k.name::text AS name,
       k.kind,
       named.columns,
       k.confrelid::bigint AS parent,
       named.parent_columns,
       k.confkey::int[] AS parent_numbers,
       named.set_columns,
       k.confmatchtype::text AS match,
       k.confupdtype::text AS on_update,
       k.confdeltype::text AS on_delete,
       k.condeferrable AS deferrable,
       k.condeferred AS deferred,
       k.convalidated AS validated,
       k.conenforced AS enforced,
       k.conperiod AS period,
       k.no_inherit,
       k.nulls_not_distinct,
       k.is_partial,
       -- The places where words stood in a statement say nothing of what it means.
       CASE WHEN k.body <> '' THEN md5(regexp_replace(k.body, ':location -?[0-9]+', '', 'g')) ELSE '' END AS digest,
       -- What is built in has the same number everywhere, and those of initdb begin with 10000.
       ARRAY(
           SELECT DISTINCT m[2]::bigint
           FROM regexp_matches(k.body, ':([a-z]+) ([1-9][0-9]{4,})', 'g') AS m
           WHERE m[1] <> 'location' AND m[1] NOT LIKE '%typmod'
           ORDER BY 1
       ) AS uses,
       ARRAY(
           SELECT m[1]::int FROM regexp_matches(k.body, ':varattno ([0-9]+)', 'g') AS m
           UNION
           -- The operators of an EXCLUDE depend on its columns.
           SELECT number FROM unnest(k.numbers) AS x (number) WHERE k.kind = 'x' AND number > 0
           ORDER BY 1
       ) AS reads
FROM k
JOIN pg_class AS c ON c.oid = k."table"
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN named ON named."table" = k."table" AND named.oid = k.oid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY k."table", k.name COLLATE "C", k.kind
