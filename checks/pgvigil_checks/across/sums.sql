-- Returns: for each bucket of the keys in a range of one table: how many keys and rows there are, how many of the keys
--          stand there more than once, and the sum of their checksums. Two sides that agree in all of it hold the same,
--          but for odds of one in 2^64.
-- Cost: the rows of the range are read, by the index of the key where there is one, and hashed.
-- Locks: AccessShareLock on the table.
SELECT s.bucket, count(*) AS keys, coalesce(sum(s.copies), 0)::bigint AS rows,
       count(*) FILTER (WHERE s.copies > 1) AS duplicates,
       sum(('x' || left(s.digest, 16))::bit(64)::bigint)::text AS digest
FROM ({rows}) AS s
GROUP BY s.bucket
