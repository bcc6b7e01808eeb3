-- Returns: the keys and references of the child rows at fault, in key order.
-- Cost: as one anti-join of child and parent, and a sort of what it finds. Runs only where there is a fault.
-- Locks: AccessShareLock on child and parent, as every SELECT.
SELECT {columns}
FROM {child} AS c
WHERE {fault}
ORDER BY {columns}
