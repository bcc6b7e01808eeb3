-- After an upgrade of the C library changed the order of texts, somebody took the index away from the planner
-- and forgot to rebuild it. No DDL does that to the index of a constraint; administrators do it like this.
UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'monitoring.services_name_key'::regclass
