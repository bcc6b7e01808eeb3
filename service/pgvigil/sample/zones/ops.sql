-- ops: who changed what, and how it went.
CREATE SCHEMA ops;
COMMENT ON SCHEMA ops IS 'Operations';

CREATE TABLE ops.staff (
    id bigint PRIMARY KEY,
    login text NOT NULL UNIQUE,
    team text NOT NULL
);

CREATE TABLE ops.audit_log (
    id bigint PRIMARY KEY,
    actor_id bigint NOT NULL,
    action text NOT NULL,
    at timestamptz NOT NULL
);

-- Contractors act here too; they are not staff, and a key of the parent does not hold for a child.
CREATE TABLE ops.audit_log_admin (
    ticket text NOT NULL,
    PRIMARY KEY (id)
) INHERITS (ops.audit_log);

CREATE TABLE ops.flags (
    name text PRIMARY KEY,
    enabled boolean NOT NULL,
    rules jsonb NOT NULL
);

CREATE TABLE ops.flag_changes (
    id bigint PRIMARY KEY,
    flag text NOT NULL,
    changed_by integer NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TABLE ops.runbook_links (
    service text NOT NULL,
    url text NOT NULL,
    PRIMARY KEY (service, url)
);

CREATE TABLE ops.metric_definitions (
    service text NOT NULL,
    metric text NOT NULL,
    unit text NOT NULL,
    PRIMARY KEY (service, metric)
);

CREATE TABLE ops.deployments (
    id bigint PRIMARY KEY,
    service text NOT NULL,
    version text NOT NULL,
    deployed_at timestamptz NOT NULL
);

CREATE TABLE ops.job_runs (
    id bigint PRIMARY KEY,
    job text NOT NULL,
    ran tstzrange NOT NULL,
    failed boolean NOT NULL
);
