-- Returns: the keys that one table holds more than once, and how often, in the order of the key.
-- Cost: one pass over the table, grouped by the key; asked only when there are such keys.
-- Locks: AccessShareLock on the table.
SELECT {which} AS {side}, {key}, pg_catalog.count(*) AS {copies}
FROM (SELECT {columns} FROM {table} AS t) AS s
WHERE pg_catalog.num_nulls({names}) = 0
GROUP BY {names}
HAVING pg_catalog.count(*) > 1
ORDER BY {names}
