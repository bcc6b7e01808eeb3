-- Returns: the key that stands so many rows after another one, in the order of an index; nothing when there are fewer.
-- Cost: these rows of the index.
-- Locks: AccessShareLock on the table.
SELECT {keys}
FROM {table} AS t
WHERE {wanted}
ORDER BY {order}
OFFSET {rows} LIMIT 1
