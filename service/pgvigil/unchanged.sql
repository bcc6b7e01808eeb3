-- Returns: the tables and views that a transaction has read, with what is behind them: name, kind and columns as of the
--          snapshot, and whether they were `changed` since, so that the snapshot does not see what it should: truncated or
--          written anew, which hides all rows from it; made, renamed or attached as a partition since; a part taken
--          away, the view replaced or a column altered, so that other tables or columns are read than the snapshot knows.
--          System catalogs are seen as of the snapshot, the functions tell how things are now; so does the xmax of
--          a row that the snapshot still sees, of a transaction that it does not, once that has committed. What was read
--          is locked since: what holds now held at the reading.
-- Cost: a few look-ups for each of them, 0.5 ms for one or two, and those of where `seen` is from.
-- Locks: none beyond AccessShareLock on the system catalogs, and those of where `seen` is from.
WITH RECURSIVE seen (oid) AS ({seen}),
since (age, xid) AS (
    SELECT age(pg_snapshot_xmin(pg_current_snapshot())::xid), pg_snapshot_xmin(pg_current_snapshot())::text::int8
)
SELECT seen.oid::bigint AS oid,
       n.nspname::text AS schema,
       c.relname::text AS name,
       CASE WHEN c.oid IS NULL THEN seen.oid::regclass::text ELSE format('%I.%I', n.nspname, c.relname) END AS shown,
       c.relkind::text AS kind,
       -- Once DETACH CONCURRENTLY has begun it is none any more.
       coalesce(NOT i.inhdetachpending, false) AS is_partition,
       c.relkind <> 'p' AND c.relhassubclass AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) AS has_children,
       -- A partition has those of its root.
       CASE WHEN i.inhparent IS NULL OR i.inhparent NOT IN (SELECT oid FROM seen) THEN (
           SELECT json_object_agg(
               attname,
               format('%s %s %s', attnum, format_type(atttypid, atttypmod), nullif(attcollation, 0)::regcollation)
           )::text
           FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
       ) END AS columns,
       CASE
           WHEN c.oid IS NULL THEN true
           -- A system catalog that is mapped has no file of its own here.
           WHEN c.relkind IN ('r', 'm') AND c.relfilenode <> 0
               AND pg_relation_filenode(c.oid) IS DISTINCT FROM c.relfilenode THEN true
           WHEN NOT c.relispartition AND pg_partition_root(c.oid) <> c.oid THEN true
           -- to_regclass() fails where the role may not look into the schema.
           WHEN has_schema_privilege(n.oid, 'USAGE')
               AND to_regclass(format('%I.%I', n.nspname, c.relname)) IS DISTINCT FROM c.oid THEN true
           WHEN c.relkind = 'v' AND EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid AND {committed_since}) THEN true
           WHEN c.relhassubclass AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid AND {committed_since}) THEN true
           -- What came to inherit from a table is not behind it as of the snapshot: its own row tells, as of other DDL.
           WHEN {first_heir} AND c.relkind = 'r' AND NOT c.relhassubclass
               AND {own_committed_since} THEN true
           WHEN i.inhparent IS NULL OR i.inhparent NOT IN (SELECT oid FROM seen)
               THEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND {committed_since})
           ELSE false
       END AS changed
FROM seen
CROSS JOIN since
LEFT JOIN pg_class AS c ON c.oid = seen.oid
LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits AS i ON c.relispartition AND i.inhrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   -- An index that is newer than the snapshot was made of all that the snapshot sees.
   OR (c.oid IS NULL AND pg_index_has_property(seen.oid, 'clusterable') IS NULL)
