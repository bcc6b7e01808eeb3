-- Returns: one row about the server and the database of the session.
-- Cost: constant. Locks: none.
SELECT current_setting('server_version_num')::int AS server_version,
       current_database()::text AS database,
       pg_is_in_recovery() AS in_recovery
