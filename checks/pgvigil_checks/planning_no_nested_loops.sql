-- Returns: one row, `off`. Nested loops are ruled out where another join can be had, until the transaction ends.
-- Cost: none.
-- Locks: none.
SELECT set_config('enable_nestloop', 'off', true) AS enable_nestloop
