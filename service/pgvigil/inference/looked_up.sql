-- Looks up a sample of a child's values among the keys of several parents.
-- Returns: one row; how many distinct values and rows were sampled, and in an array for each parent how many of
--   the values (found) and of the rows (rows_found) have a parent there.
-- Cost: some pages of the child, however large it is, and about a thousand look-ups of each parent's key.
-- Locks: ACCESS SHARE on all of the tables.
WITH picked AS MATERIALIZED (
    SELECT {columns} FROM {child} AS r {sample} WHERE {present} LIMIT {rows}
),
counted AS MATERIALIZED (
    SELECT {names}, count(*) AS rows FROM picked GROUP BY {names} LIMIT {most}
),
-- Materialised, as each array would else be made for every use of it.
asked AS MATERIALIZED (
    SELECT c.rows, ARRAY[{exists}] AS hits FROM counted AS c
)
SELECT count(*)::integer AS values, coalesce(sum(rows), 0)::bigint AS rows,
       ARRAY[{found}]::integer[] AS found, ARRAY[{rows_found}]::bigint[] AS rows_found
FROM asked
