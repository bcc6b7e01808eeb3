-- Returns: what source.sql returns, but one row for each key: how many rows it has, and a checksum of the key alone
--          where they are several, since nobody can say which of them is meant.
-- Cost: that of source.sql, and a sort or a hash table of it. Locks: AccessShareLock on the table.
SELECT {names}, g.bucket, count(*) AS copies,
       CASE WHEN count(*) = 1 THEN min(g.digest) ELSE pg_catalog.md5('several ' || {key}::text) END AS digest
FROM ({rows}) AS g
GROUP BY {names}, g.bucket
