-- Makes a slot that goes with the transaction, to find out whether one can be made at all. The plugin is loaded first.
-- Locks: waits for the transactions that run now, up to lock_timeout, and keeps nobody waiting.
-- Cost: a few records of WAL; VACUUM of system catalogs waits until it is dropped.
SELECT pg_create_logical_replication_slot({slot}, 'test_decoding', true)
