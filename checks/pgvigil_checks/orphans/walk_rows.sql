-- Returns: one row: of the child's next rows in the order of a unique key, how many there are, those with NULL in some
--          columns of a MATCH FULL key, the orphans, the keys of the first of these, each of one row, and the last row's
--          key, as text (NULL where no row is left).
-- Cost: so many rows by the key's index, and for each a look-up in the parent.
-- Locks: AccessShareLock on child and parent, as every SELECT.
WITH chunk AS MATERIALIZED (
    SELECT {columns} FROM {child} AS c WHERE {after} ORDER BY {key} LIMIT {rows}
),
lost AS MATERIALIZED (SELECT * FROM chunk AS c WHERE {orphan})
SELECT count(*) AS rows,
       count(*) FILTER (WHERE {partial}) AS partial,
       (SELECT count(*) FROM lost) AS orphans,
       ARRAY(SELECT ARRAY[{last}] FROM lost AS c ORDER BY {key} LIMIT {most}) AS lost,
       ARRAY(SELECT 1 FROM lost LIMIT {most}) AS lost_rows,
       (SELECT ARRAY[{last}] FROM chunk AS c ORDER BY {last_first} LIMIT 1) AS last
FROM chunk AS c
