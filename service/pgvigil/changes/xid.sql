-- Returns: a transaction id, above all that were given before: a snapshot tells only of those that have ended.
--          As the transaction that has it is rolled back, the WAL writer puts on disk, within its delay, what was
--          written so far: what readers write (they tidy up pages) may stay in memory for long else.
-- Cost: a transaction id. Locks: none.
SELECT pg_current_xact_id()::text::int8 AS xid
