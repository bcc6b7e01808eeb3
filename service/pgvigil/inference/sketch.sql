-- Returns: one row for the values of a key: how many rows hold one, how many have a NULL in it, how many
--          distinct values there are, and the least {size} of their hashes, in ascending order. `cut_off` tells
--          that the table has {most} rows or more, or more pages than were read, so that the figures speak of those
--          alone.
-- Cost: reads {most} rows of the table at the most, of its first pages; hashes and sorts their keys.
-- Locks: AccessShareLock on the table.
WITH looked_at AS MATERIALIZED (
    SELECT {key} AS key FROM {table} AS t WHERE {first} LIMIT {most}
),
hashed AS MATERIALIZED (
    SELECT hashtextextended(key COLLATE "C", 0) AS hash FROM looked_at WHERE key IS NOT NULL GROUP BY 1
)
SELECT count(key)::bigint AS rows,
       (count(*) - count(key))::bigint AS nulls,
       (SELECT count(*) FROM hashed)::bigint AS "distinct",
       (count(*) = {most} OR EXISTS (SELECT FROM {table} AS t WHERE NOT {first})) AS cut_off,
       ARRAY(SELECT hash FROM hashed ORDER BY hash LIMIT {size})::bigint[] AS hashes
FROM looked_at
