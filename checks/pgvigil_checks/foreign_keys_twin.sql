-- Returns: one row: whether another table has rows, and whether one of the child's references is found there.
-- Cost: a semi-join of the child and that table up to its first match. Runs only for keys to an empty parent.
-- Locks: AccessShareLock on both, as every SELECT.
SELECT EXISTS (SELECT FROM {twin} AS p) AS has_rows,
       EXISTS (SELECT FROM {child} AS c JOIN {twin} AS p ON {equal} WHERE {refers}) AS is_meant
