-- Returns: one row: how joins and scans are allowed again, as they were before settings.sql.
-- Cost: none.
-- Locks: none.
SELECT set_config('enable_hashjoin', current_setting('pgvigil.hashjoin'), true) AS hashjoin,
       set_config('enable_nestloop', current_setting('pgvigil.nestloop'), true) AS nestloop,
       set_config('enable_seqscan', current_setting('pgvigil.seqscan'), true) AS seqscan
