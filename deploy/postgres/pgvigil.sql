-- The role that pgvigil connects as. Run this as a superuser in each database to be watched; it may be run again.
-- Give the role a way to log in: \password pgvigil in psql, a certificate, or peer.

BEGIN;

DO $pgvigil$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pgvigil') THEN
        CREATE ROLE pgvigil LOGIN;
    END IF;
    EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I', pg_catalog.current_database(), 'pgvigil');
END
$pgvigil$;

-- A second lock on the door: pgvigil opens read-only transactions anyway, and holds no right to write.
-- Whoever lifts it has what PostgreSQL leaves to everybody, such as temporary tables and large objects.
-- How to close that, too: docs/howto/least-privilege.md
ALTER ROLE pgvigil SET default_transaction_read_only = on;

-- Every table of every database; for a role that reads the watched ones alone: pgvigil grants --dsn DSN
GRANT pg_read_all_data TO pgvigil;

-- Tables with row-level security show as unknown, never as clean, unless the role may see all their rows:
-- ALTER ROLE pgvigil BYPASSRLS;

-- Only for targets with `changes: logical`. What else that allows: docs/howto/watch-changes.md
-- ALTER ROLE pgvigil REPLICATION;

-- Only for `standby`, and for the limits active_sessions, oldest_snapshot and replica_lag of `budget.pause`,
-- which else pause nothing: the role sees what sessions of others do.
-- GRANT pg_read_all_stats TO pgvigil;

-- Only where the server logs statements, or auto_explain does: what is sent beside a query may be megabytes.
-- ALTER ROLE pgvigil SET log_parameter_max_length = 1024;

-- Before PostgreSQL 15 everybody may create tables in schema public, this role too:
-- REVOKE CREATE ON SCHEMA public FROM PUBLIC;

COMMIT;
