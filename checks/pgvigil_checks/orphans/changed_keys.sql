-- Returns: those of the keys that no parent has, as text. Cost: a look-up in the parent for each key, or one pass
--          over it. Locks: AccessShareLock on the parent.
SELECT DISTINCT {columns}
FROM {keys}
WHERE {orphan}
