-- Back to a session that checks keys.
SET LOCAL session_replication_role TO 'origin'
