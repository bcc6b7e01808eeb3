-- Returns: the names of those tables that are not what they were: another table has the name now, it has become
--          partitioned, has gained its first or lost its last inheriting table; or it, or a part of it, was
--          truncated or written anew since the snapshot, which hides its rows from the snapshot.
--          pg_class and pg_inherits are seen as of the snapshot, the two functions tell how things are now.
-- Cost: look-ups for the tables and their parts. Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE seen AS (
    SELECT * FROM unnest({oids}::oid[], {names}::text[], {kinds}::text[], {parents}::bool[])
        AS seen (oid, name, kind, has_children)
),
parts (name, oid) AS (
    SELECT name, oid FROM seen
    UNION
    SELECT parts.name, i.inhrelid FROM parts JOIN pg_inherits AS i ON i.inhparent = parts.oid
)
SELECT seen.name
FROM seen
LEFT JOIN pg_class AS c ON c.oid = seen.oid
WHERE c.oid IS NULL
   OR to_regclass(seen.name) IS DISTINCT FROM seen.oid
   OR seen.kind IS DISTINCT FROM CASE c.relkind
          WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign'
          WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' END
   OR seen.has_children <> (c.relkind <> 'p' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid))
UNION
SELECT parts.name
FROM parts
JOIN pg_class AS c ON c.oid = parts.oid
WHERE c.relkind IN ('r', 'm') AND pg_relation_filenode(c.oid) IS DISTINCT FROM c.relfilenode
