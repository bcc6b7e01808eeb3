-- Returns: one row: the rows of the parent that the key has, and of the one that it should have.
-- Cost: a count of both tables. Locks: AccessShareLock on both, as every SELECT.
SELECT (SELECT pg_catalog.count(*) FROM {parent}) AS {parent_label},
       (SELECT pg_catalog.count(*) FROM {twin}) AS {twin_label}
