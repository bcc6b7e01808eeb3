-- Looks up a sample of a child's values among the keys of several parents.
-- Returns: one row; how many distinct values and rows were sampled, and in an array for each parent how many of
--   the values (found) and of the rows (rows_found) have a parent there.
-- Cost: some pages of the child, about a thousand look-ups of each parent's key, or a scan of a small parent.
-- Locks: ACCESS SHARE on all of the tables.
WITH picked AS MATERIALIZED (
    SELECT {columns} FROM {child} AS r {sample} WHERE {present} LIMIT {rows}
),
counted AS MATERIALIZED (
    SELECT {names}, count(*) AS rows FROM picked GROUP BY {names} LIMIT {most}
),
asked AS (
    SELECT c.rows, ARRAY[{exists}] AS hits FROM counted AS c
)
SELECT count(*)::integer AS values, coalesce(sum(rows), 0)::bigint AS rows,
       ARRAY[{found}]::integer[] AS found, ARRAY[{rows_found}]::bigint[] AS rows_found
FROM asked
