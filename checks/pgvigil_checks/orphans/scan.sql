-- Returns: one row: how many rows of the child, or of a part of it, meet each of some conditions.
-- Cost: one scan of the child; of the parts together as much.
-- Locks: AccessShareLock on the child, as every SELECT.
SELECT ARRAY[{counts}]::bigint[] AS lacking FROM {child} AS c WHERE {part}
