-- Returns: how many rows of one table have a NULL in their key.
-- Cost: one pass over the table, or a look into an index; asked only where the key may be NULL.
-- Locks: AccessShareLock on the table.
SELECT count(*) AS rows FROM {table} AS t WHERE {wanted}
