-- Returns: one row: how many foreign keys the table has, and their definitions.
-- Cost: one look-up. Locks: none beyond AccessShareLock on the system catalogs.
SELECT pg_catalog.count(*) AS foreign_keys,
       pg_catalog.array_agg(pg_catalog.pg_get_constraintdef(k.oid) ORDER BY k.conname) AS definitions
FROM pg_catalog.pg_constraint AS k
WHERE k.contype = 'f' AND k.conrelid = {child}::pg_catalog.regclass
