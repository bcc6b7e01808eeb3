-- Returns: one row for each row of one table with a key, in a range of its keys: the key's parts as texts, its bucket,
--          the checksum of the row.
-- Cost: see who asks. Locks: AccessShareLock on the table.
SELECT {keys}, {bucket} AS bucket, 1::bigint AS copies, pg_catalog.md5({row}::text) AS digest
FROM {table} AS t
WHERE {wanted}
