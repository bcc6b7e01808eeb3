-- Returns: what the orphans refer to and how many there are of each, up to so many references.
-- Cost: as one anti-join of child and parent. Locks: AccessShareLock on child and parent.
SELECT {columns}, count(*) AS rows
FROM {child} AS c
WHERE {orphan}
GROUP BY {positions}
LIMIT {most}
