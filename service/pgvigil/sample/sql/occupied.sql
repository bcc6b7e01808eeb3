-- The first few things in a database that somebody made: relations of any schema, and schemas but `public`.
-- Cost: a scan of pg_class and pg_namespace. Lock: ACCESS SHARE on both.
SELECT n.nspname || coalesce('.' || c.relname, '')
FROM pg_catalog.pg_namespace AS n
    LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND (n.nspname <> 'public' OR c.oid IS NOT NULL)
ORDER BY 1
LIMIT 1
