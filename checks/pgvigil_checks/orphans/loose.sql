-- Returns: one row: how many values the referencing column has, how many rows refer to those that no parent has (NULL
--          when not all values were looked for), whether there are more values than the limit, and those that no parent
--          has, as text, up to one more than so many.
-- Cost: for each value a look-up in the child's index and in the parent's; for each orphan an index entry.
-- Locks: AccessShareLock on child and parent, as every SELECT.
WITH RECURSIVE found (value, number) AS (
    (SELECT c.{column}, 1 FROM {child} AS c WHERE c.{column} IS NOT NULL ORDER BY c.{column} LIMIT 1)
    UNION ALL
    SELECT (SELECT c.{column} FROM {child} AS c WHERE c.{column} > found.value ORDER BY c.{column} LIMIT 1),
           found.number + 1
    FROM found
    WHERE found.value IS NOT NULL AND found.number <= {most}
),
judged AS MATERIALIZED (
    SELECT c.{column}, (SELECT true FROM {parent} AS p WHERE {equal} LIMIT 1) AS has_parent
    FROM (SELECT value AS {column} FROM found WHERE value IS NOT NULL) AS c
)
SELECT (SELECT count(*) FROM judged) AS values,
       (SELECT count(*) FROM judged) > {most} AS cut,
       ARRAY(SELECT {column}::text FROM judged WHERE has_parent IS NULL LIMIT {kept} + 1) AS lost,
       CASE WHEN (SELECT count(*) FROM judged) <= {most}
           THEN (
               SELECT coalesce(sum((SELECT count(*) FROM {child} AS c WHERE c.{column} = judged.{column})), 0)
               FROM judged
               WHERE has_parent IS NULL
           )::bigint
       END AS orphans
