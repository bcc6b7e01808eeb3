-- Returns: every foreign key at the root of its partition trees, with the state of all its triggers and of the
--          referenced indexes, the clones on partitions included. A clone has conparentid set and is no key of
--          its own.
-- Cost: one pass each over pg_constraint and pg_trigger (hashed), operators through their index.
-- Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE roots (oid) AS (
    SELECT k.oid FROM pg_constraint AS k
    WHERE k.contype = 'f'
      AND (
          k.conparentid = 0
          -- A partition whose DETACH CONCURRENTLY has begun stands alone already: its rows are no longer seen
          -- through the parent.
          OR EXISTS (
              SELECT FROM pg_inherits AS i JOIN pg_constraint AS p ON p.conrelid = i.inhparent
              WHERE i.inhrelid = k.conrelid
                AND i.inhdetachpending
                AND p.oid = k.conparentid
          )
      )
),
clones (root, oid) AS (
    SELECT oid, oid FROM roots
    UNION ALL
    SELECT clones.root, k.oid FROM pg_constraint AS k JOIN clones ON k.conparentid = clones.oid
    WHERE k.contype = 'f' AND k.oid NOT IN (SELECT oid FROM roots)
),
triggers AS (
    SELECT clones.root,
           count(*) AS total,
           jsonb_agg(
               jsonb_build_array(tn.nspname, tc.relname, t.tgname, t.tgenabled)
               ORDER BY tn.nspname, tc.relname, t.tgname
           ) FILTER (WHERE t.tgenabled IN ('D', 'R')) AS idle
    FROM clones
    JOIN pg_trigger AS t ON t.tgconstraint = clones.oid
    JOIN pg_class AS tc ON tc.oid = t.tgrelid
    JOIN pg_namespace AS tn ON tn.oid = tc.relnamespace
    GROUP BY clones.root
),
references_ok AS (
    SELECT clones.root, bool_and(x.indisvalid AND x.indisready AND x.indislive AND x.indisunique) AS ok
    FROM clones
    JOIN pg_constraint AS k ON k.oid = clones.oid
    JOIN pg_index AS x ON x.indexrelid = k.conindid
    GROUP BY clones.root
)
SELECT k.oid::bigint AS oid,
       k.conname::text AS name,
       k.conrelid::bigint AS child,
       k.confrelid::bigint AS parent,
       (
           SELECT array_agg(a.attname::text ORDER BY c.position)
           FROM unnest(k.conkey) WITH ORDINALITY AS c (number, position)
           JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = c.number
       ) AS child_columns,
       (
           SELECT array_agg(a.attname::text ORDER BY c.position)
           FROM unnest(k.confkey) WITH ORDINALITY AS c (number, position)
           JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = c.number
       ) AS parent_columns,
       k.confmatchtype::text AS match,
       (
           SELECT jsonb_agg(
               jsonb_build_array(
                   opn.nspname,
                   op.oprname,
                   CASE WHEN lt.typtype <> 'p' THEN format_type(lt.oid, NULL) END,
                   CASE WHEN rt.typtype <> 'p' THEN format_type(rt.oid, NULL) END
               ) ORDER BY o.position
           )
           FROM unnest(k.conpfeqop) WITH ORDINALITY AS o (oid, position)
           JOIN pg_operator AS op ON op.oid = o.oid
           JOIN pg_namespace AS opn ON opn.oid = op.oprnamespace
           JOIN pg_type AS lt ON lt.oid = op.oprleft
           JOIN pg_type AS rt ON rt.oid = op.oprright
       ) AS operators,
       k.convalidated AS validated,
       -- Both columns came with version 18.
       coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AS enforced,
       coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) AS period,
       coalesce(ic.relname::text, '') AS index_name,
       coalesce(r.ok, false) AS index_valid,
       coalesce(t.total, 0)::int AS triggers,
       t.idle AS idle_triggers
FROM pg_constraint AS k
JOIN roots ON roots.oid = k.oid
LEFT JOIN pg_class AS ic ON ic.oid = k.conindid
LEFT JOIN triggers AS t ON t.root = k.oid
LEFT JOIN references_ok AS r ON r.root = k.oid
ORDER BY k.oid
