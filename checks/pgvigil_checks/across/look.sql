-- Returns: of some keys of one table those that are there: how many rows each has, the checksum of its row, and its
--          compared columns: short values as they are, long ones as a checksum.
-- Cost: a look-up for each key, or one pass over the table where no index helps.
-- Locks: AccessShareLock on the table.
SELECT DISTINCT ON ({names}) g.*
FROM (
    SELECT s.*, count(*) OVER (PARTITION BY {names}) AS copies
    FROM (SELECT {keys}, pg_catalog.md5({row}::text) AS digest{items} FROM {table} AS t WHERE {wanted}) AS s
) AS g
ORDER BY {names}
