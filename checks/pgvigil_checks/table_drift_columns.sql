-- Returns: the columns that one side lacks or whose types differ, as they are now; NULL where a side has none.
-- Cost: a look-up for each. Locks: none beyond AccessShareLock on the system catalogs.
SELECT l.attname AS left_column, pg_catalog.format_type(l.atttypid, l.atttypmod) AS left_type,
       r.attname AS right_column, pg_catalog.format_type(r.atttypid, r.atttypmod) AS right_type
FROM ROWS FROM (pg_catalog.unnest({left_names}::text[]), pg_catalog.unnest({right_names}::text[]))
    AS n (left_name, right_name)
LEFT JOIN pg_catalog.pg_attribute AS l
    ON l.attrelid = {left}::pg_catalog.regclass AND l.attname = n.left_name AND NOT l.attisdropped
LEFT JOIN pg_catalog.pg_attribute AS r
    ON r.attrelid = {right}::pg_catalog.regclass AND r.attname = n.right_name AND NOT r.attisdropped
WHERE pg_catalog.format_type(l.atttypid, l.atttypmod) IS DISTINCT FROM
      pg_catalog.format_type(r.atttypid, r.atttypmod)
ORDER BY l.attnum, r.attnum
