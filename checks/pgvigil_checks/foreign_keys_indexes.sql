-- Returns: the child and its partitions, each with the valid indexes that it has.
-- Cost: one look-up for each. Locks: AccessShareLock on the child's partitions, if it has any.
SELECT t.oid AS "table",
       ARRAY(SELECT pg_catalog.pg_get_indexdef(x.indexrelid) FROM pg_catalog.pg_index AS x
             WHERE x.indrelid = t.oid AND x.indisvalid ORDER BY 1) AS indexes
FROM (SELECT {child}::pg_catalog.regclass UNION SELECT relid FROM pg_catalog.pg_partition_tree({child})) AS t (oid)
ORDER BY 1
