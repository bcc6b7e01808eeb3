-- Returns: how many rows of the child refer to each of some keys, where there are any. Cost: a look-up in the
--          child's index for each key, and the rows that it finds. Locks: AccessShareLock on the child.
SELECT {columns}, count(*) AS rows
FROM {child} AS c
WHERE {among}
GROUP BY {positions}
