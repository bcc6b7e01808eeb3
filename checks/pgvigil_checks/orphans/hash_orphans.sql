-- Returns: one row: the orphans.
-- Cost: an anti-join of child and parent, which the planner does by hash, merge or look-ups.
-- Locks: AccessShareLock on child and parent, as every SELECT.
SELECT count(*) AS orphans FROM {child} AS c WHERE {orphan}
