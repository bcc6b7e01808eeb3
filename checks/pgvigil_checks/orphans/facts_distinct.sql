-- Returns: one row, or none where nothing is known: how many values a column has, as ANALYZE estimated it (of a
--          partitioned table: over all partitions); a share of the rows, with the opposite sign, if it is below 0.
-- Cost: a look-up in the statistics.
-- Locks: none beyond AccessShareLock on the system catalogs.
SELECT n_distinct::float8 AS distinct
FROM pg_stats
WHERE schemaname = {schema} AND tablename = {table} AND attname = {column} AND inherited = {inherited}
