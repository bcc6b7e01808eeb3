-- Returns: one row: the child's rows, those with NULL in some columns of a MATCH FULL key, and the orphans.
-- Cost: the child is read twice, once of it for a bare count (through an index, if it is all-visible); the orphans
--       by an anti-join with the parent, which the planner does by hash, merge or look-ups. A temporal key costs
--       a look-up in the parent's index for every child row.
-- Locks: AccessShareLock on child and parent, as every SELECT.
SELECT judged.rows, judged.partial, lost.orphans
FROM (SELECT count(*) AS rows, count(*) FILTER (WHERE {partial}) AS partial FROM {child} AS c) AS judged,
     (SELECT count(*) AS orphans FROM {child} AS c WHERE {orphan}) AS lost
