-- Returns: the pages that each of some tables, by oid, has now; NULL for one that is gone.
-- Cost: a look at the size of each table's files.
-- Locks: AccessShareLock on each table for a moment, as every SELECT of it.
SELECT oid, pg_relation_size(oid::oid::regclass) / current_setting('block_size')::int AS pages
FROM unnest({oids}::bigint[]) AS oid
