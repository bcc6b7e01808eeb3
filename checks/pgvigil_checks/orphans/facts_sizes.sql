-- Returns: a row for the child and one for the parent: how many tables hold its rows, none if it is gone, and which
--          share of their pages is all-visible.
-- Cost: look-ups in system catalogs for each part.
-- Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE parts (is_child, oid) AS (
    VALUES (true, {child}::oid), (false, {parent}::oid)
    UNION
    SELECT parts.is_child, i.inhrelid
    FROM parts
    JOIN pg_class AS c ON c.oid = parts.oid AND c.relkind = 'p'
    JOIN pg_inherits AS i ON i.inhparent = c.oid
)
SELECT is_child,
       count(*) FILTER (WHERE relkind <> 'p') AS tables,
       coalesce(sum(relallvisible) FILTER (WHERE relkind <> 'p')::float8
                / nullif(sum(relpages) FILTER (WHERE relkind <> 'p'), 0), 0) AS visible
FROM parts LEFT JOIN pg_class AS c USING (oid)
GROUP BY is_child
