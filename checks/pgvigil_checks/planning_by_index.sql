-- Returns: one row. Until the transaction ends rows are looked up in indexes, or merged along them, where that can be:
--          a chunk is small, whatever the statistics make of the tables that it is compared with.
-- Cost: none.
-- Locks: none.
SELECT set_config('enable_hashjoin', 'off', true) AS hashjoin, set_config('enable_seqscan', 'off', true) AS seqscan
