-- Returns: one row for each column of the tables that may be filled: what a value of it must be like.
-- Cost: one pass over pg_attribute and pg_type. Locks: none.
SELECT a.attrelid::bigint AS "table",
       a.attname AS name,
       CASE WHEN base.typelem <> 0 AND base.typcategory = 'A' THEN 'array' ELSE base.typname END AS type,
       a.attnotnull OR t.typnotnull AS not_null,
       a.attgenerated <> '' AS generated,
       a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid), '') LIKE 'nextval(%' AS serial,
       d.adbin IS NOT NULL OR t.typdefault IS NOT NULL AS has_default,
       -- Of a domain the modifier is the domain's own.
       coalesce(nullif(a.atttypmod, -1), t.typtypmod) AS modifier,
       (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum AS e
         WHERE e.enumtypid = base.oid) AS labels
  FROM pg_attribute AS a
  JOIN pg_class AS c ON c.oid = a.attrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_type AS t ON t.oid = a.atttypid
  JOIN pg_type AS base ON base.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p')
   AND a.attnum > 0
   AND NOT a.attisdropped
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
 ORDER BY a.attrelid, a.attnum
