-- Returns: one row: of the child's next rows in the order of a unique key, the last one's key, as text (NULL where no row
--          is left), how many there are, and how many of them bits hold back, for each relation.
-- Cost: so many rows by the key's index, and as many of its entries.
-- Locks: AccessShareLock on the child, as every SELECT.
WITH bound AS MATERIALIZED (
    (SELECT {key} FROM {child} AS c WHERE {after} ORDER BY {key} OFFSET {rows} - 1 LIMIT 1)
    UNION ALL
    (SELECT {key} FROM {child} AS c WHERE {after} ORDER BY {last_first} LIMIT 1)
    LIMIT 1
)
SELECT (SELECT ARRAY[{last}] FROM bound AS c) AS last,
       count(*) AS rows,
       ARRAY[{counts}]::bigint[] AS lacking
FROM {child} AS c
WHERE {after} AND ({key}) <= ({bound})
