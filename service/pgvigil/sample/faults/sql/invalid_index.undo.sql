-- Rebuilding an index makes it valid.
REINDEX INDEX monitoring.services_name_key
