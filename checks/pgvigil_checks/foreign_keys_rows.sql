-- Returns: one row: whether the parent has rows, and whether any row of the child refers to something.
-- Cost: the first row of the parent. The child is read up to its first reference, and only if the parent is empty.
-- Locks: AccessShareLock on both, as every SELECT.
SELECT EXISTS (SELECT FROM {parent} AS p) AS parent_has_rows,
       CASE WHEN EXISTS (SELECT FROM {parent} AS p) THEN NULL
            ELSE EXISTS (SELECT FROM {child} AS c WHERE {refers}) END AS child_refers
