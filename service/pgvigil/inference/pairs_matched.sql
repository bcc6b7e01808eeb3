-- Returns: for {size} rows of the left table at the most, chosen by the hash of their key, the texts of their
--          values and of those of the rows of that key on the right: one row each, and one of NULLs where the
--          right table has none (`found` is false then).
-- Cost: reads {most} rows of the left table at the most, or a few of its pages where it is large. Of the right
--       table one lookup in an index for each, or {most} rows where it is small.
-- Locks: AccessShareLock on both tables.
WITH sampled AS MATERIALIZED (
    SELECT row_number() OVER ()::int AS number,
           ARRAY[{left_values}]::text[] AS "values",
           {left_key} COLLATE "C" AS key,
           {operands}
    FROM (
        SELECT * FROM (SELECT {left_columns} FROM {left} AS t {sample} LIMIT {most}) AS l
        WHERE {left_key} IS NOT NULL
        ORDER BY hashtextextended({left_key} COLLATE "C", 0)
        LIMIT {size}
    ) AS l
)
SELECT s.number,
       {right_key} IS NOT NULL AS found,
       s."values" AS "left",
       ARRAY[{right_values}]::text[] AS "right"
FROM sampled AS s
LEFT JOIN {right_rows}
LIMIT {most_rows}
