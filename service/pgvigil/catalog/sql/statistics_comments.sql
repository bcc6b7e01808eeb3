-- Returns: the comments on tables and views outside the system schemas, and on their columns (0 is the table itself),
--          the first 500 characters of each.
-- Cost: one pass over pg_description. Locks: none beyond AccessShareLock on the system catalogs.
SELECT c.oid::bigint AS "table",
       a.attname::text AS "column",
       left(d.description, 500) AS comment
FROM pg_description AS d
JOIN pg_class AS c ON c.oid = d.objoid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
WHERE d.classoid = 'pg_class'::regclass
  AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%'
  AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
