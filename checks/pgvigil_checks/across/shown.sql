-- Returns: the compared values of some keys of one table, shortened, for a sample.
-- Cost: a look-up for each key, or one pass over the table where no index helps.
-- Locks: AccessShareLock on the table.
SELECT {keys}, {values}::text[] AS shown FROM {table} AS t WHERE {wanted}
