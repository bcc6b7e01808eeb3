-- Returns: the rows of one table whose key is unique by an index in force; what table_drift_side.sql returns, cheaper.
-- Cost: one pass over the table.
-- Locks: AccessShareLock on the table.
SELECT {columns}, 1::bigint AS copies FROM {table} AS t{within}
