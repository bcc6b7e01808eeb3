-- Returns: the keys of one table in some buckets of a range, how many rows each has, and the checksum of its row.
-- Cost: the rows of the range are read, those of the buckets hashed.
-- Locks: AccessShareLock on the table.
SELECT {keys}, s.copies, s.digest
FROM ({rows}) AS s
