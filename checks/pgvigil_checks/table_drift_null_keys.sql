-- Returns: the rows of one table with a NULL in their key, and by what the table itself identifies them.
-- Cost: one pass over the table; asked only when there are such rows.
-- Locks: AccessShareLock on the table.
SELECT {which} AS {side}, {key}, s.row_id::text AS {row_id}
FROM (SELECT {columns}, {identity} AS row_id FROM {table} AS t) AS s
WHERE pg_catalog.num_nulls({names}) > 0
ORDER BY s.row_id, {names}
