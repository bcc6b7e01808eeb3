-- Returns: one row: how many references lie beyond one end of the parent's keys.
-- Cost: their entries in the index on the referencing column.
-- Locks: AccessShareLock on the child, as every SELECT.
SELECT count(*) AS orphans FROM {child} AS c WHERE {beyond}
