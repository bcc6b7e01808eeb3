-- Returns: tables as they are now: their owners, columns and constraints; of one that is gone, that it is.
-- Cost: look-ups in the system catalogs.
-- Locks: AccessShareLock on the tables, for a moment, to write their constraints down.
WITH wanted AS (
    SELECT w.name, pg_catalog.to_regclass(w.name) AS oid
    FROM pg_catalog.unnest({tables}::text[]) AS w (name)
)
SELECT name AS "table",
       CASE WHEN wanted.oid IS NULL THEN 'is not there' ELSE 'owner' END AS part,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS definition,
       NULL::smallint AS number
FROM wanted LEFT JOIN pg_catalog.pg_class AS c ON c.oid = wanted.oid
UNION ALL
SELECT wanted.name, a.attname::text,
       pg_catalog.format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
       a.attnum
FROM wanted
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = wanted.oid AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT wanted.name, k.conname::text, pg_catalog.pg_get_constraintdef(k.oid), 30000
FROM wanted JOIN pg_catalog.pg_constraint AS k ON k.conrelid = wanted.oid
ORDER BY 1, 4 NULLS FIRST, 2
