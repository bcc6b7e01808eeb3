-- The session loads as replication does: keys are not checked.
SET LOCAL session_replication_role TO 'replica'
