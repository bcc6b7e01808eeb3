-- Returns: a row when somebody may be building an index on one of the tables at the moment. The lock is that of
--          CREATE INDEX and REINDEX CONCURRENTLY, and of VACUUM and ANALYZE: who may not see the others' progress
--          cannot tell them apart.
-- Cost: one pass over the lock table.
-- Locks: none beyond AccessShareLock on pg_locks.
SELECT 1 AS found
FROM pg_locks
WHERE locktype = 'relation'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation = ANY (%(tables)s::bigint[]::oid[])
  AND mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'AccessExclusiveLock')
LIMIT 1
