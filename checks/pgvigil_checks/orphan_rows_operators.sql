-- Returns: for each pair of columns of a relation that is not declared, in order, the equality operator that a
--          foreign key between them would use, the types to which its operands are cast (NULL where they are
--          taken as they are), and whether neither it nor a cast depends on the session; an operator of NULL where
--          there is none. As ATAddForeignKeyConstraint() of the
--          server, the parent's equality decides: an operator of its family for both types, else the child's
--          value is cast to the parent's type, implicitly or because the bytes are the same. Where no key could
--          be declared, the child's equality decides if the parent's value is cast to it implicitly.
-- Cost: a few look-ups in system catalogs. Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE pairs AS (
    SELECT u.position, pa.atttypid AS parent, ca.atttypid AS child
    FROM unnest({parent_columns}::text[], {child_columns}::text[])
         WITH ORDINALITY AS u (parent_column, child_column, position)
    JOIN pg_attribute AS pa
        ON pa.attrelid = {parent} AND pa.attname = u.parent_column AND pa.attnum > 0 AND NOT pa.attisdropped
    JOIN pg_attribute AS ca
        ON ca.attrelid = {child} AND ca.attname = u.child_column AND ca.attnum > 0 AND NOT ca.attisdropped
),
-- The type below all domains.
bases (oid, base) AS (
    SELECT oid, oid FROM (SELECT parent FROM pairs UNION SELECT child FROM pairs) AS used (oid)
    UNION ALL
    SELECT bases.oid, t.typbasetype FROM bases JOIN pg_type AS t ON t.oid = bases.base WHERE t.typtype = 'd'
),
-- The type as which the values are compared: their own, one with the same bytes, or a polymorphic one.
compared AS (
    SELECT b.oid, b.base, k.opcintype AS key, k.opcfamily AS family, k.typtype = 'p' AS polymorphic
    FROM bases AS b
    JOIN pg_type AS t ON t.oid = b.base AND t.typtype <> 'd'
    CROSS JOIN LATERAL (
        SELECT oc.opcintype, oc.opcfamily, kt.typtype
        FROM pg_opclass AS oc
        JOIN pg_am AS am ON am.oid = oc.opcmethod AND am.amname = 'btree'
        JOIN pg_type AS kt ON kt.oid = oc.opcintype
        WHERE oc.opcdefault
          AND (
              oc.opcintype = b.base
              OR (t.typcategory = 'A' AND t.typelem <> 0 AND oc.opcintype = 'anyarray'::regtype)
              OR (t.typtype = 'e' AND oc.opcintype = 'anyenum'::regtype)
              OR (t.typtype = 'r' AND oc.opcintype = 'anyrange'::regtype)
              OR (t.typtype = 'm' AND oc.opcintype = 'anymultirange'::regtype)
              OR (t.typtype = 'c' AND oc.opcintype = 'record'::regtype)
              OR EXISTS (
                  SELECT FROM pg_cast AS k
                  WHERE k.castsource = b.base AND k.casttarget = oc.opcintype
                    AND k.castmethod = 'b' AND k.castcontext = 'i'
              )
          )
        ORDER BY oc.opcintype = b.base DESC, kt.typispreferred DESC, oc.oid
        LIMIT 1
    ) AS k
),
casts (source, target, preference) AS (
    SELECT castsource, casttarget, CASE castcontext WHEN 'i' THEN 1 ELSE 2 END
    FROM pg_cast
    WHERE castcontext = 'i' OR castmethod = 'b'
),
candidates AS (
    SELECT u.position, 0 AS preference, o.amopopr AS operator, p.polymorphic,
           o.amoplefttype AS left_type, o.amoprighttype AS right_type
    FROM pairs AS u
    JOIN compared AS p ON p.oid = u.parent
    JOIN compared AS c ON c.oid = u.child
    JOIN pg_amop AS o
        ON o.amopfamily = p.family AND o.amopstrategy = 3 AND o.amoppurpose = 's'
       AND o.amoplefttype = p.key AND o.amoprighttype IN (c.base, c.key)
    WHERE NOT p.polymorphic OR p.base = c.base
    UNION ALL
    SELECT u.position, k.preference, o.amopopr, false, p.key, p.key
    FROM pairs AS u
    JOIN compared AS p ON p.oid = u.parent AND NOT p.polymorphic
    JOIN bases AS c ON c.oid = u.child
    JOIN casts AS k ON k.source = c.base AND k.target = p.key
    JOIN pg_amop AS o
        ON o.amopfamily = p.family AND o.amopstrategy = 3 AND o.amoppurpose = 's'
       AND o.amoplefttype = p.key AND o.amoprighttype = p.key
    UNION ALL
    SELECT u.position, 3, o.amopopr, false, c.key, c.key
    FROM pairs AS u
    JOIN compared AS c ON c.oid = u.child AND NOT c.polymorphic
    JOIN bases AS p ON p.oid = u.parent
    JOIN casts AS k ON k.source = p.base AND k.target = c.key AND k.preference = 1
    JOIN pg_amop AS o
        ON o.amopfamily = c.family AND o.amopstrategy = 3 AND o.amoppurpose = 's'
       AND o.amoplefttype = c.key AND o.amoprighttype = c.key
)
SELECT u.position::int AS position,
       n.nspname::text AS schema,
       op.oprname::text AS operator,
       CASE WHEN NOT best.polymorphic THEN format_type(best.left_type, NULL) END AS left_type,
       CASE WHEN NOT best.polymorphic THEN format_type(best.right_type, NULL) END AS right_type,
       f.provolatile = 'i' AND NOT EXISTS (
           SELECT FROM pg_cast AS k
           JOIN bases AS b ON b.base = k.castsource
           LEFT JOIN pg_proc AS kf ON kf.oid = k.castfunc
           WHERE (b.oid, k.casttarget) IN ((u.parent, best.left_type), (u.child, best.right_type))
             AND (k.castmethod = 'i' OR kf.provolatile <> 'i')
       ) AS immutable
FROM pairs AS u
LEFT JOIN LATERAL (
    SELECT * FROM candidates
    WHERE candidates.position = u.position
    ORDER BY candidates.preference, candidates.operator
    LIMIT 1
) AS best ON true
LEFT JOIN pg_operator AS op ON op.oid = best.operator
LEFT JOIN pg_proc AS f ON f.oid = op.oprcode
LEFT JOIN pg_namespace AS n ON n.oid = op.oprnamespace
ORDER BY u.position
