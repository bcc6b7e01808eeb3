-- Returns: the committed changes from the slot's position on, as test_decoding writes them, in the order of their
--          commits, each transaction ended by a line COMMIT, which has the LSN of the end of its commit record and
--          its transaction id. Nothing is consumed. Of more than so many bytes the last line is NULL, and the rest is left out.
--          `bytes` has, in hex, a line with U+FFFD as it was written, to be told from what stands for damaged text.
-- Cost: the WAL since the slot's restart_lsn is read and decoded, about 120 MB/s. Locks: none; the slot is taken.
SELECT CASE WHEN data LIKE 'COMMIT %' THEN lsn END AS lsn,
       CASE WHEN data LIKE 'COMMIT %' THEN xid END AS xid,
       CASE WHEN total <= {most_bytes} THEN data END AS data,
       CASE WHEN total <= {most_bytes} AND position(decode('efbfbd', 'hex') IN textsend(data)) > 0
            THEN encode(textsend(data), 'hex')
       END AS bytes
FROM (
    SELECT (lsn - '0/0')::int8 AS lsn,
           xid::text::int8 AS xid,
           data,
           octet_length(data) AS size,
           sum(octet_length(data)) OVER (ROWS UNBOUNDED PRECEDING) AS total
    FROM pg_logical_slot_peek_changes(
        {slot}, '0/0'::pg_lsn + {upto}::numeric, {most_rows}, 'include-xids', '1', 'skip-empty-xacts', '1'
    )
) AS decoded
WHERE total - size <= {most_bytes}
