-- Returns: the columns of a constraint whose types differ from those that they refer to.
-- Cost: one look-up. Locks: none beyond AccessShareLock on the system catalogs.
SELECT c.attname AS "column", pg_catalog.format_type(c.atttypid, c.atttypmod) AS type,
       p.attname AS parent_column, pg_catalog.format_type(p.atttypid, p.atttypmod) AS parent_type
FROM pg_catalog.pg_constraint AS k
CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS n (child, parent)
JOIN pg_catalog.pg_attribute AS c ON c.attrelid = k.conrelid AND c.attnum = n.child
JOIN pg_catalog.pg_attribute AS p ON p.attrelid = k.confrelid AND p.attnum = n.parent
WHERE k.conrelid = {child}::pg_catalog.regclass AND k.conname = {name}
  AND pg_catalog.format_type(c.atttypid, c.atttypmod) <> pg_catalog.format_type(p.atttypid, p.atttypmod)
