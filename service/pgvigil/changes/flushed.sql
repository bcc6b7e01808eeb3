-- Returns: up to where the WAL is on disk, in bytes; what is not yet, can't be decoded. The position of what is
--          written next lies behind the header of a page where nothing was written to the page yet.
-- Cost: nothing. Locks: none.
SELECT (pg_current_wal_flush_lsn() - '0/0')::int8 AS flushed,
       current_setting('wal_block_size')::int8 AS page,
       pg_size_bytes(current_setting('wal_segment_size')) AS segment
