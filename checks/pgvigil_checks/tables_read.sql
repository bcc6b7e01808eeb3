-- Returns: one row without columns when the table has any, so that permissions and policies are put to the test.
-- Cost: the first page with a live row.
-- Locks: AccessShareLock on the table and its children.
SELECT FROM {table} LIMIT 1
