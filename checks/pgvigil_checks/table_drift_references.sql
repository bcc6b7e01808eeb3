-- Returns: the foreign keys that refer to either table, without their clones on partitions.
-- Cost: one pass over pg_constraint. Locks: none beyond AccessShareLock on the system catalogs.
SELECT k.conrelid::pg_catalog.regclass AS "table", k.conname AS "constraint",
       k.confrelid::pg_catalog.regclass AS "references"
FROM pg_catalog.pg_constraint AS k
WHERE k.contype = 'f' AND k.conparentid = 0
  AND k.confrelid IN ({left}::pg_catalog.regclass, {right}::pg_catalog.regclass)
ORDER BY 3, 1, 2
