-- Returns: one row: of the child's next rows in the order of the referencing column, how many there are, how many
--          orphans refer to the same values, the last value as text (NULL where no row is left), and the first of the
--          values that no parent has, with how many rows each. The rows of the last value are counted to their end, also
--          beyond the limit.
-- Cost: so many entries of the referencing column's index, and the parent's index between the first and the last
--       value, or a look-up in it for each value.
-- Locks: AccessShareLock on child and parent, as every SELECT.
WITH chunk AS MATERIALIZED (
    SELECT value, count(*) AS rows
    FROM (SELECT c.{column} AS value FROM {child} AS c WHERE {after} ORDER BY c.{column} LIMIT {rows}) AS taken
    GROUP BY value
),
lost AS MATERIALIZED (
    SELECT c.value, c.rows FROM chunk AS c WHERE NOT EXISTS (SELECT FROM {parent} AS p WHERE {equal} AND {after_parent})
),
last AS MATERIALIZED (SELECT value FROM chunk ORDER BY value DESC LIMIT 1),
whole AS MATERIALIZED (
    SELECT lost.value,
           CASE WHEN lost.value = last.value
               THEN (SELECT count(*) FROM {child} AS c WHERE c.{column} = last.value)
               ELSE lost.rows
           END AS rows
    FROM lost, last
)
SELECT coalesce((SELECT sum(rows) FROM chunk), 0)::bigint AS rows,
       coalesce((SELECT sum(rows) FROM whole), 0)::bigint AS orphans,
       (SELECT ARRAY[value::text] FROM last) AS last,
       ARRAY(SELECT ARRAY[value::text] FROM whole ORDER BY value LIMIT {most}) AS lost,
       ARRAY(SELECT rows FROM whole ORDER BY value LIMIT {most}) AS lost_rows
