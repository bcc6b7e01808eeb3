-- Returns: every foreign key at the root of its partition trees, with the state of all its triggers and of the
--          referenced indexes, the clones on partitions included. A clone has conparentid set and is no key of
--          its own.
-- Cost: some passes each over pg_constraint, pg_trigger and pg_attribute, hashed; nothing is looked up key by key.
-- Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE keys AS MATERIALIZED (
    SELECT k.* FROM (SELECT true AS conenforced, false AS conperiod) AS before_18
    -- Columns that the server's version does not have are those of the row before: names are looked up from the
    -- inside to the outside.
    CROSS JOIN LATERAL (
        SELECT oid, conname, conrelid, confrelid, conparentid, conindid, conkey, confkey, conpfeqop, confmatchtype,
               convalidated, conenforced, conperiod
        FROM pg_constraint
        WHERE contype = 'f'
    ) AS k
),
roots (oid) AS (
    SELECT k.oid FROM keys AS k
    WHERE (
          k.conparentid = 0
          -- A partition whose DETACH CONCURRENTLY has begun stands alone already: its rows are no longer seen
          -- through the parent.
          OR EXISTS (
              SELECT FROM pg_inherits AS i JOIN keys AS p ON p.conrelid = i.inhparent
              WHERE i.inhrelid = k.conrelid
                AND i.inhdetachpending
                AND p.oid = k.conparentid
          )
      )
),
clones (root, oid) AS (
    SELECT oid, oid FROM roots
    UNION ALL
    SELECT clones.root, k.oid FROM keys AS k JOIN clones ON k.conparentid = clones.oid
    WHERE k.oid NOT IN (SELECT oid FROM roots)
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
fired AS MATERIALIZED (
    SELECT clones.root, t.tgrelid, t.tgfoid, t.tgname, t.tgenabled
    FROM clones JOIN pg_trigger AS t ON t.tgconstraint = clones.oid
),
counted AS (
    SELECT root, count(*) AS total FROM fired GROUP BY root
),
idle AS (
    SELECT t.root,
           jsonb_agg(
               jsonb_build_array(
                   tn.nspname, tc.relname, t.tgname, CASE WHEN tc.relhastriggers THEN t.tgenabled ELSE 'N' END
               ) ORDER BY tn.nspname, tc.relname, t.tgname
           ) AS triggers
    FROM fired AS t
    CROSS JOIN ordinary
    JOIN pg_class AS tc ON tc.oid = t.tgrelid
    JOIN pg_namespace AS tn ON tn.oid = tc.relnamespace
    WHERE NOT tc.relhastriggers OR t.tgenabled IN ('D', CASE WHEN ordinary.is_replica THEN 'O' ELSE 'R' END)
    GROUP BY t.root
),
-- Both ends of the keys with all their partitions: rows lie in the tables among them.
trees (top, oid) AS (
    SELECT k.conrelid, k.conrelid FROM keys AS k JOIN roots ON roots.oid = k.oid
    UNION
    SELECT k.confrelid, k.confrelid FROM keys AS k JOIN roots ON roots.oid = k.oid
    UNION
    SELECT trees.top, i.inhrelid
    FROM trees
    JOIN pg_inherits AS i ON i.inhparent = trees.oid AND NOT i.inhdetachpending
    JOIN pg_class AS part ON part.oid = i.inhrelid AND part.relispartition
),
-- What no trigger looks at in those tables, though one must. How many a key has beyond these, on partitioned tables,
-- differs between versions and with the way in which a partition came to its table.
duties (of_child, event, bit) AS (
    VALUES (true, 'ins', 1), (true, 'upd', 2), (false, 'del', 4), (false, 'upd', 8)
),
done AS (
    SELECT t.root, t.tgrelid, bit_or(duties.bit) AS bits
    FROM fired AS t
    JOIN (
        SELECT oid, proname LIKE 'RI\_FKey\_check\_%' AS of_child, right(proname, 3) AS event FROM pg_proc
        WHERE proname LIKE 'RI\_FKey\_%'
    ) AS f ON f.oid = t.tgfoid
    JOIN duties ON duties.of_child = f.of_child AND duties.event = f.event
    GROUP BY t.root, t.tgrelid
),
asked AS (
    SELECT ends.root, trees.oid AS "table", bit_or(ends.bits) AS bits
    FROM (
        SELECT k.oid AS root, k.conrelid AS top, 3 AS bits FROM keys AS k JOIN roots ON roots.oid = k.oid
        UNION ALL
        -- A partition that is leaving gets triggers of its own on the parent once it has left.
        SELECT k.oid, k.confrelid, 12 FROM keys AS k JOIN roots ON roots.oid = k.oid WHERE k.conparentid = 0
    ) AS ends
    JOIN trees ON trees.top = ends.top
    JOIN pg_class AS c ON c.oid = trees.oid AND c.relkind = 'r'
    GROUP BY ends.root, trees.oid
),
undone AS (
    SELECT asked.root, asked."table", duties.of_child, duties.event
    FROM asked
    LEFT JOIN done ON done.root = asked.root AND done.tgrelid = asked."table"
    JOIN duties ON asked.bits & ~coalesce(done.bits, 0) & duties.bit <> 0
    WHERE asked.bits & ~coalesce(done.bits, 0) <> 0
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
           bool_and(k.conenforced) AS enforced
    FROM clones
    JOIN keys AS k ON k.oid = clones.oid
    JOIN keys AS r ON r.oid = clones.root
    LEFT JOIN pg_index AS x ON x.indexrelid = k.conindid
    GROUP BY clones.root
),
pairs AS MATERIALIZED (
    SELECT k.oid AS root, o.position, o.operator, p.attname AS parent, p.atttypid AS parent_type,
           c.attname AS child, c.atttypid AS child_type
    FROM keys AS k
    JOIN roots ON roots.oid = k.oid
    CROSS JOIN LATERAL ROWS FROM (unnest(k.conpfeqop), unnest(k.confkey), unnest(k.conkey))
        WITH ORDINALITY AS o (operator, parent, child, position)
    JOIN pg_attribute AS p ON p.attrelid = k.confrelid AND p.attnum = o.parent
    JOIN pg_attribute AS c ON c.attrelid = k.conrelid AND c.attnum = o.child
),
-- There are as many of these as there are types that keys compare, however many keys there are.
comparisons AS MATERIALIZED (
    SELECT o.operator, o.parent_type, o.child_type,
           jsonb_build_array(
               opn.nspname,
               op.oprname,
               CASE WHEN lt.typtype <> 'p' THEN format_type(lt.oid, NULL) END,
               CASE WHEN rt.typtype <> 'p' THEN format_type(rt.oid, NULL) END,
               f.provolatile = 'i' AND NOT EXISTS (
                   SELECT FROM (VALUES (o.parent_type, op.oprleft), (o.child_type, op.oprright)) AS side (type, operand)
                   LEFT JOIN bases ON bases.oid = side.type
                   JOIN unstable_casts AS u ON u.source IN (side.type, bases.base) AND u.target = side.operand
               )
           ) AS description
    FROM (SELECT DISTINCT operator, parent_type, child_type FROM pairs) AS o
    JOIN pg_operator AS op ON op.oid = o.operator
    JOIN pg_proc AS f ON f.oid = op.oprcode
    JOIN pg_namespace AS opn ON opn.oid = op.oprnamespace
    JOIN pg_type AS lt ON lt.oid = op.oprleft
    JOIN pg_type AS rt ON rt.oid = op.oprright
),
compared AS (
    SELECT pairs.root,
           array_agg(pairs.child::text ORDER BY pairs.position) AS child_columns,
           array_agg(pairs.parent::text ORDER BY pairs.position) AS parent_columns,
           -- No join: the planner would take its outcome for one row, and go through all that follows row by row.
           jsonb_agg((
               SELECT c.description FROM comparisons AS c
               WHERE c.operator = pairs.operator
                 AND c.parent_type = pairs.parent_type
                 AND c.child_type = pairs.child_type
           ) ORDER BY pairs.position) AS operators
    FROM pairs
    GROUP BY pairs.root
),
-- Put together by a grouping, not by joins: what the planner takes for one row it would go through again for each key.
told AS (
    SELECT root, max(child_columns) AS child_columns, max(parent_columns) AS parent_columns, max(operators) AS operators,
           bool_and(validated) AS validated, bool_and(enforced) AS enforced, bool_and(index_valid) AS index_valid,
           max(total) AS total, max(idle) AS idle, max(missing) AS missing
    FROM (
        SELECT root, child_columns, parent_columns, operators::text, NULL::bool AS validated, NULL::bool AS enforced,
               NULL::bool AS index_valid, NULL::int8 AS total, NULL::text AS idle, NULL::text AS missing
        FROM compared
        UNION ALL
        SELECT root, NULL, NULL, NULL, validated, enforced, index_valid, NULL, NULL, NULL FROM whole
        UNION ALL
        SELECT root, NULL, NULL, NULL, NULL, NULL, NULL, total, NULL, NULL FROM counted
        UNION ALL
        SELECT root, NULL, NULL, NULL, NULL, NULL, NULL, NULL, triggers::text, NULL FROM idle
        UNION ALL
        SELECT root, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, triggers::text FROM missing
    ) AS parts
    GROUP BY root
)
SELECT k.oid::bigint AS oid,
       k.conname::text AS name,
       k.conrelid::bigint AS child,
       k.confrelid::bigint AS parent,
       told.child_columns,
       told.parent_columns,
       k.confmatchtype::text AS match,
       told.operators,
       told.validated,
       told.enforced,
       k.conperiod AS period,
       coalesce(ic.relname::text, '') AS index_name,
       told.index_valid,
       coalesce(told.total, 0)::int AS triggers,
       told.idle AS idle_triggers,
       told.missing AS missing_triggers
FROM told
JOIN keys AS k ON k.oid = told.root
LEFT JOIN pg_class AS ic ON ic.oid = k.conindid
ORDER BY k.oid
