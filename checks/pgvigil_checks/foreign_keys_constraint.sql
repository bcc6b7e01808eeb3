-- Returns: the constraint as pg_constraint has it, with its definition.
-- Cost: one look-up. Locks: none beyond AccessShareLock on the system catalogs.
SELECT k.conname, pg_catalog.pg_get_constraintdef(k.oid) AS definition, k.*
FROM pg_catalog.pg_constraint AS k
WHERE k.conrelid = {child}::pg_catalog.regclass AND k.conname = {name}
