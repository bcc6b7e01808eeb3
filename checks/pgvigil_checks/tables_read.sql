-- Returns: one row: 1 when the table has any row, else 0, so that permissions and policies are put to the test;
--          and whether all columns may be read, not only some, which is enough for the first.
-- Cost: the first page with a live row.
-- Locks: AccessShareLock on the table and its children.
SELECT (SELECT count(*) FROM (SELECT FROM {table} LIMIT 1) AS first) AS rows,
       has_table_privilege({oid}::oid, 'SELECT') AS in_full
