-- Returns: one row: of each of some tables, in their order, whether it has rows.
-- Cost: the first row of each. Locks: AccessShareLock on each, as every SELECT.
SELECT ARRAY[{exists}] AS filled
