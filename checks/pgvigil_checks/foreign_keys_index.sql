-- Returns: the indexes that a constraint and its clones on partitions refer to, with their state.
-- Cost: one look-up for each clone. Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE clones (oid, index) AS (
    SELECT k.oid, k.conindid FROM pg_catalog.pg_constraint AS k
    WHERE k.conrelid = {child}::pg_catalog.regclass AND k.conname = {name}
    UNION ALL
    SELECT k.oid, k.conindid FROM pg_catalog.pg_constraint AS k JOIN clones ON k.conparentid = clones.oid
)
SELECT DISTINCT clones.index::pg_catalog.regclass AS "index", x.indisvalid, x.indisready, x.indislive
FROM clones LEFT JOIN pg_catalog.pg_index AS x ON x.indexrelid = clones.index
ORDER BY 1
