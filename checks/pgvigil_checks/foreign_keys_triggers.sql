-- Returns: the triggers of a constraint and of its clones on partitions that don't fire for an ordinary session.
-- Cost: one look-up for each clone. Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE clones (oid) AS (
    SELECT k.oid FROM pg_catalog.pg_constraint AS k
    WHERE k.conrelid = {child}::pg_catalog.regclass AND k.conname = {name}
    UNION ALL
    SELECT k.oid FROM pg_catalog.pg_constraint AS k JOIN clones ON k.conparentid = clones.oid
)
SELECT t.tgrelid::pg_catalog.regclass AS "table", t.tgname AS "trigger", t.tgenabled AS enabled
FROM clones JOIN pg_catalog.pg_trigger AS t ON t.tgconstraint = clones.oid
WHERE t.tgenabled IN ('D', 'R')
ORDER BY 1, 2
