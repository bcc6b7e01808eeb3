-- Returns: one row: how many pages the largest of the child's tables has, and how many of them a scan may take without
--          the server's keeping it to a few buffers.
-- Cost: a look at the files of each partition.
-- Locks: AccessShareLock on each partition.
SELECT (greatest(
           pg_relation_size({child}::oid),
           (SELECT max(pg_relation_size(relid)) FROM pg_partition_tree({child}::oid) WHERE isleaf)
       ) / current_setting('block_size')::int)::int AS pages,
       (pg_size_bytes(current_setting('shared_buffers')) / current_setting('block_size')::int / 4)::int AS cached
