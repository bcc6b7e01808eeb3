-- Returns: the triggers of a constraint and of its clones on partitions, with what decides whether they fire for an
--          ordinary session: pg_trigger.tgenabled, whether the table knows that it has triggers, and where the
--          sessions of a database are told to begin as replicas.
-- Cost: one look-up for each clone. Locks: none beyond AccessShareLock on the system catalogs.
WITH RECURSIVE clones (oid) AS (
    SELECT k.oid FROM pg_catalog.pg_constraint AS k
    WHERE k.conrelid = {child}::pg_catalog.regclass AND k.conname = {name}
    UNION ALL
    SELECT k.oid FROM pg_catalog.pg_constraint AS k JOIN clones ON k.conparentid = clones.oid
)
SELECT t.tgrelid::pg_catalog.regclass AS "table",
       t.tgname AS "trigger",
       t.tgenabled AS enabled,
       c.relhastriggers AS known_to_table,
       pg_catalog.current_setting('session_replication_role') AS role_of_this_session,
       (
           SELECT pg_catalog.array_agg(s.setconfig) FROM pg_catalog.pg_db_role_setting AS s
           WHERE s.setrole = 0 AND s.setconfig::pg_catalog.text LIKE '%session_replication_role%'
       ) AS settings
FROM clones
JOIN pg_catalog.pg_trigger AS t ON t.tgconstraint = clones.oid
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
ORDER BY t.tgenabled = 'O', 1, 2
