-- Returns: one row: whether the parent has more keys, or holes between them, than the limits (then nothing was counted);
--          how many references lead into the holes, and how many beyond the least and the greatest key; and the ends of
--          the holes that have any, up to one more than so many.
-- Cost: the parent's index in its order; a look-up in the child's index for each hole.
-- Locks: AccessShareLock on child and parent, as every SELECT.
WITH holes AS MATERIALIZED (
    SELECT below, above
    FROM (
        SELECT p.{key} AS below, lead(p.{key}) OVER (ORDER BY p.{key}) AS above
        FROM {parent} AS p
        WHERE p.{key} IS NOT NULL
    ) AS keys
    -- A CASE, as the least number that there is has none before it.
    WHERE CASE WHEN above > below THEN above - 1 > below ELSE false END
    LIMIT {most_holes} + 1
),
size AS MATERIALIZED (
    -- The keys are counted first: no more of them are looked at then.
    SELECT CASE
               WHEN EXISTS (
                   SELECT FROM {parent} AS p WHERE p.{key} IS NOT NULL ORDER BY p.{key} OFFSET {most_keys} LIMIT 1
               ) THEN true
               ELSE (SELECT count(*) FROM holes) > {most_holes}
           END AS too_many
),
lost AS MATERIALIZED (
    SELECT below, above, rows
    FROM holes, LATERAL (
        SELECT count(*) AS rows FROM {child} AS c WHERE c.{column} > below AND c.{column} < above
    ) AS orphans
    WHERE rows > 0
)
SELECT too_many,
       CASE WHEN NOT too_many THEN (SELECT coalesce(sum(rows), 0)::bigint FROM lost) END AS within,
       CASE WHEN NOT too_many THEN {beyond} END AS beyond,
       CASE WHEN NOT too_many
           THEN ARRAY(SELECT ARRAY[below::bigint, above::bigint] FROM lost ORDER BY below LIMIT {kept} + 1)
       END AS lost
FROM size
