-- Returns: those of some tables, by oid, that the role may read in full.
-- Cost: a look-up for each. Locks: none beyond AccessShareLock on the system catalogs.
SELECT c.oid::bigint AS oid
FROM pg_class AS c
WHERE c.oid = ANY ({oids}::oid[])
  AND has_schema_privilege(c.relnamespace, 'USAGE')
  AND has_table_privilege(c.oid, 'SELECT')
  AND NOT row_security_active(c.oid)
