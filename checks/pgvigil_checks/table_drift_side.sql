-- Returns: one row for every key of one table, or of a range of its keys, with the columns of one of its rows and
--          how many rows have the key.
-- Cost: one pass over the table, sorted by the key.
-- Locks: AccessShareLock on the table.
SELECT s.*
FROM (
    SELECT t.*, pg_catalog.count(*) OVER key AS copies, pg_catalog.row_number() OVER key AS copy
    FROM (SELECT {columns} FROM {table} AS t{within}) AS t
    WINDOW key AS (PARTITION BY {key})
) AS s
WHERE s.copy = 1
