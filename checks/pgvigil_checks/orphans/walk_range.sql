-- Returns: one row: of the child's rows whose key lies behind one number and not behind another, the latter as text, how
--          many there are, and how many of them bits hold back, for each relation.
-- Cost: so many rows by the key's index.
-- Locks: AccessShareLock on the child, as every SELECT.
SELECT ARRAY[({last})::text] AS last, count(*) AS rows, ARRAY[{counts}]::bigint[] AS lacking
FROM {child} AS c
WHERE {key} > {first} AND {key} <= {last}
