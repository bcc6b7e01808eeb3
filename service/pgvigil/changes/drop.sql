-- Drops the slot, and with it what it keeps.
SELECT pg_drop_replication_slot({slot})
