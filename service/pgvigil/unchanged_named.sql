-- Returns: these tables, their partitions (also those that the snapshot does not know) and what inherits from them, and
--          what is behind views.
-- Cost: look-ups for each of them, 0.3 ms at least. Locks: AccessShareLock on partitions, as whoever reads the root has.
SELECT unnest({oids}::oid[])
UNION
SELECT behind.oid
FROM seen
JOIN pg_class AS r ON r.oid = seen.oid AND (r.relhassubclass OR r.relkind IN ('p', 'v'))
CROSS JOIN LATERAL (
    SELECT inhrelid FROM pg_inherits WHERE inhparent = r.oid AND NOT inhdetachpending
    UNION ALL
    SELECT relid FROM pg_partition_tree(r.oid) WHERE r.relkind = 'p' AND parentrelid = r.oid
    UNION ALL
    SELECT d.refobjid
    FROM pg_rewrite AS w
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
    WHERE r.relkind = 'v' AND w.ev_class = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid >= 16384
) AS behind (oid)
