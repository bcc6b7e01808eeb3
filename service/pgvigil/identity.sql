-- Returns: one row about the cluster: its identifier, and the timeline that it writes or replays.
-- Cost: reads the control file. Locks: none.
SELECT (SELECT system_identifier FROM pg_control_system())::text AS cluster,
       (SELECT timeline_id FROM pg_control_checkpoint())::int AS timeline
