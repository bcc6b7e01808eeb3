-- Returns: the schemas among those that were there once, and whether they still are.
-- Cost: one look-up each. Locks: none beyond AccessShareLock on pg_namespace.
SELECT w.name AS "schema", n.oid IS NOT NULL AS is_there, pg_catalog.pg_get_userbyid(n.nspowner) AS owner
FROM pg_catalog.unnest({schemas}::text[]) AS w (name)
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.name
ORDER BY 1
