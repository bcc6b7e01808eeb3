-- Makes the slot; it begins when every transaction that runs now has ended. Locks: waits for these transactions, up to
-- lock_timeout, and keeps nobody waiting.
SELECT pg_create_logical_replication_slot({slot}, 'test_decoding')
