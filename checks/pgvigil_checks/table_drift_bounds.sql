-- Returns: values that cut the keys of one table into parts of about the same size, in their order, each once.
-- Cost: some hundred pages of the table, and a sort of the keys on them.
-- Locks: AccessShareLock on the table.
SELECT b.bound::text AS bound
FROM (
    SELECT DISTINCT pg_catalog.unnest(p.bounds) AS bound
    FROM (
        SELECT pg_catalog.percentile_disc({fractions}::float8[]) WITHIN GROUP (ORDER BY ({value})::{type}) AS bounds
        FROM {table} AS t TABLESAMPLE SYSTEM ({percent}) REPEATABLE (0)
    ) AS p
) AS b
WHERE b.bound IS NOT NULL
ORDER BY b.bound
