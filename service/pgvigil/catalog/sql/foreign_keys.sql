-- Returns: every foreign key at the root of its partition trees, with the state of all its triggers and of the
--          referenced indexes, the clones on partitions included. A clone has conparentid set and is no key of
--          its own.
-- Cost: one pass each over pg_constraint, pg_trigger and pg_inherits (hashed), operators through their index.
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
-- The type below all domains.
bases (oid, base) AS (
    SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT bases.oid, t.typbasetype FROM bases JOIN pg_type AS t ON t.oid = bases.base WHERE t.typtype = 'd'
),
-- Casts whose outcome depends on the session.
unstable_casts (source, target) AS (
    SELECT k.castsource, k.casttarget
    FROM pg_cast AS k LEFT JOIN pg_proc AS f ON f.oid = k.castfunc
    WHERE k.castmethod = 'i' OR f.provolatile <> 'i'
),
-- The role of sessions that set none themselves: the database's, else every database's, else the server's,
-- which our own session tells unless its role or its client chose another.
ordinary AS (
    SELECT lower(coalesce(
        (
            SELECT split_part(chosen, '=', 2)
            FROM pg_db_role_setting AS s CROSS JOIN unnest(s.setconfig) AS chosen
            WHERE s.setrole = 0
              AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
              AND chosen LIKE 'session\_replication\_role=%'
            ORDER BY s.setdatabase DESC
            LIMIT 1
        ),
        (
            SELECT setting FROM pg_settings
            WHERE name = 'session_replication_role'
              AND source NOT IN ('user', 'database user', 'client', 'override', 'interactive', 'session')
        )
    )) = 'replica' AS is_replica
),
triggers AS (
    SELECT clones.root,
           count(*) AS total,
           jsonb_agg(
               jsonb_build_array(
                   tn.nspname, tc.relname, t.tgname, CASE WHEN tc.relhastriggers THEN t.tgenabled ELSE 'N' END
               ) ORDER BY tn.nspname, tc.relname, t.tgname
           ) FILTER (
               WHERE NOT tc.relhastriggers
                  OR t.tgenabled IN ('D', CASE WHEN ordinary.is_replica THEN 'O' ELSE 'R' END)
           ) AS idle
    FROM clones
    CROSS JOIN ordinary
    JOIN pg_trigger AS t ON t.tgconstraint = clones.oid
    JOIN pg_class AS tc ON tc.oid = t.tgrelid
    JOIN pg_namespace AS tn ON tn.oid = tc.relnamespace
    GROUP BY clones.root
),
-- Both ends of the keys with all their partitions: rows lie in the tables among them.
trees (top, oid) AS (
    SELECT k.conrelid, k.conrelid FROM pg_constraint AS k JOIN roots ON roots.oid = k.oid
    UNION
    SELECT k.confrelid, k.confrelid FROM pg_constraint AS k JOIN roots ON roots.oid = k.oid
    UNION
    SELECT trees.top, i.inhrelid
    FROM trees
    JOIN pg_inherits AS i ON i.inhparent = trees.oid AND NOT i.inhdetachpending
    JOIN pg_class AS part ON part.oid = i.inhrelid AND part.relispartition
),
-- What no trigger looks at in those tables, though one must. How many a key has beyond these, on partitioned tables,
-- differs between versions and with the way in which a partition came to its table.
undone AS (
    SELECT roots.oid AS root, trees.oid AS "table", duty.of_child, duty.event
    FROM roots
    JOIN pg_constraint AS k ON k.oid = roots.oid
    CROSS JOIN (
        VALUES (true, 'ins'), (true, 'upd'), (false, 'del'), (false, 'upd')
    ) AS duty (of_child, event)
    JOIN trees ON trees.top = CASE WHEN duty.of_child THEN k.conrelid ELSE k.confrelid END
    JOIN pg_class AS c ON c.oid = trees.oid AND c.relkind = 'r'
    -- A partition that is leaving gets triggers of its own on the parent once it has left.
    WHERE duty.of_child OR k.conparentid = 0
    EXCEPT
    SELECT clones.root, t.tgrelid, f.proname LIKE 'RI\_FKey\_check\_%', right(f.proname, 3)
    FROM clones
    JOIN pg_trigger AS t ON t.tgconstraint = clones.oid
    JOIN pg_proc AS f ON f.oid = t.tgfoid
),
missing AS (
    SELECT undone.root,
           jsonb_agg(
               jsonb_build_array(
                   n.nspname,
                   c.relname,
                   CASE undone.event WHEN 'ins' THEN 'insert' WHEN 'del' THEN 'delete' ELSE 'update' END
               ) ORDER BY n.nspname, c.relname, undone.event
           ) AS triggers
    FROM undone
    JOIN pg_class AS c ON c.oid = undone."table"
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    GROUP BY undone.root
),
whole AS (
    SELECT clones.root,
           bool_and(coalesce(x.indisvalid AND x.indisready AND x.indislive AND x.indisunique, false)) AS index_valid,
           -- Those to the parent's partitions may stay NOT VALID: what they stand for is validated at the root.
           bool_and(k.convalidated) FILTER (WHERE k.confrelid = r.confrelid) AS validated,
           -- The column came with version 18.
           bool_and(coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)) AS enforced
    FROM clones
    JOIN pg_constraint AS k ON k.oid = clones.oid
    JOIN pg_constraint AS r ON r.oid = clones.root
    LEFT JOIN pg_index AS x ON x.indexrelid = k.conindid
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
                   CASE WHEN rt.typtype <> 'p' THEN format_type(rt.oid, NULL) END,
                   f.provolatile = 'i' AND NOT EXISTS (
                       SELECT FROM pg_attribute AS a
                       LEFT JOIN bases ON bases.oid = a.atttypid
                       JOIN unstable_casts AS u ON u.source IN (a.atttypid, bases.base)
                       WHERE (a.attrelid, a.attnum, u.target)
                          IN ((k.confrelid, o.parent, op.oprleft), (k.conrelid, o.child, op.oprright))
                   )
               ) ORDER BY o.position
           )
           FROM ROWS FROM (unnest(k.conpfeqop), unnest(k.confkey), unnest(k.conkey))
                WITH ORDINALITY AS o (oid, parent, child, position)
           JOIN pg_operator AS op ON op.oid = o.oid
           JOIN pg_proc AS f ON f.oid = op.oprcode
           JOIN pg_namespace AS opn ON opn.oid = op.oprnamespace
           JOIN pg_type AS lt ON lt.oid = op.oprleft
           JOIN pg_type AS rt ON rt.oid = op.oprright
       ) AS operators,
       w.validated,
       w.enforced,
       -- The column came with version 18.
       coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) AS period,
       coalesce(ic.relname::text, '') AS index_name,
       w.index_valid,
       coalesce(t.total, 0)::int AS triggers,
       t.idle AS idle_triggers,
       m.triggers AS missing_triggers
FROM pg_constraint AS k
JOIN roots ON roots.oid = k.oid
LEFT JOIN pg_class AS ic ON ic.oid = k.conindid
LEFT JOIN triggers AS t ON t.root = k.oid
JOIN whole AS w ON w.root = k.oid
LEFT JOIN missing AS m ON m.root = k.oid
ORDER BY k.oid
