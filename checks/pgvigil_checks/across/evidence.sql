-- Returns: the rows of one table with some keys, or of all of them, by which two databases are compared by hand.
-- Cost: a look-up for each key, or one pass over the table.
-- Locks: AccessShareLock on the table.
SELECT {columns} FROM {table} AS t{wanted} ORDER BY {order}
