-- Lets go of what the slot keeps up to a position. Cost: the WAL up to there is read again, not decoded.
SELECT pg_replication_slot_advance({slot}, '0/0'::pg_lsn + {upto}::numeric)
