-- Returns: one row: how joins and scans were allowed until now, which settings_restored.sql finds in settings of ours.
--          From here on, until the transaction ends, they are allowed as is given.
-- Cost: none.
-- Locks: none.
WITH before AS MATERIALIZED (
    SELECT current_setting('enable_hashjoin') AS hashjoin,
           current_setting('enable_nestloop') AS nestloop,
           current_setting('enable_seqscan') AS seqscan
)
SELECT set_config('pgvigil.hashjoin', hashjoin, true) AS hashjoin,
       set_config('pgvigil.nestloop', nestloop, true) AS nestloop,
       set_config('pgvigil.seqscan', seqscan, true) AS seqscan,
       set_config('enable_hashjoin', {hashjoin}, true) AS set_hashjoin,
       set_config('enable_nestloop', {nestloop}, true) AS set_nestloop,
       set_config('enable_seqscan', {seqscan}, true) AS set_seqscan
FROM before
