-- Returns: one row: how many of the orphans that a walk found are still there.
-- Cost: a look-up in the child's index for each of the keys that it found, and in the parent's for each of their rows.
-- Locks: AccessShareLock on child and parent, as every SELECT.
SELECT count(*) AS orphans FROM {child} AS c WHERE {lost} AND {orphan}
