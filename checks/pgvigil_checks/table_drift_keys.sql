-- Returns: one row for every key of an entity pair: how many rows each side has with it (0: none), whether a part
--          of it is NULL, and in which columns the two rows differ, by position; NULL when they don't. Rows are only
--          compared where each side has one: a key held twice says nothing about which of the two is meant.
-- Cost: one pass over each side, sorted by the key (or read through an index on it), and one merge or hash join.
--       OFFSET keeps what is made of this out of the join: both sides' columns together may be more than a row holds.
-- Locks: AccessShareLock on both tables.
SELECT coalesce(l.copies, 0) AS left_rows,
       coalesce(r.copies, 0) AS right_rows,
       pg_catalog.num_nulls({key}) > 0 AS null_key,
       CASE WHEN {changed} THEN pg_catalog.array_remove({positions}, NULL) END AS differing{extra}
FROM ({left}) AS l
FULL JOIN ({right}) AS r ON {same_key}
WHERE {wanted}
OFFSET 0
