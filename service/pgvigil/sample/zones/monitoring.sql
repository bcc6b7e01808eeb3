-- monitoring: how the platform itself is doing.
CREATE SCHEMA monitoring;
COMMENT ON SCHEMA monitoring IS 'Health of services and pipelines';

CREATE TYPE monitoring.verdict AS ENUM ('ok', 'degraded', 'down');

CREATE TABLE monitoring.services (
    id integer PRIMARY KEY,
    name text NOT NULL,
    owner_team text NOT NULL,
    CONSTRAINT services_name_key UNIQUE (name)
);

CREATE TABLE monitoring.slos (
    service text NOT NULL,
    objective text NOT NULL,
    target numeric(6, 5) NOT NULL,
    PRIMARY KEY (service, objective)
);

CREATE TABLE monitoring.slo_breaches (
    id bigint PRIMARY KEY,
    service text,
    objective text,
    breached_at timestamptz NOT NULL,
    burn_rate double precision NOT NULL
);

CREATE TABLE monitoring.alerts (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    labels jsonb NOT NULL
);

CREATE TABLE monitoring.alert_events (
    id bigint PRIMARY KEY,
    alert_id bigint NOT NULL,
    fired_at timestamptz NOT NULL,
    acknowledged_by text
);

CREATE TABLE monitoring.checks (
    id integer PRIMARY KEY,
    service text NOT NULL,
    url text NOT NULL
);

CREATE TABLE monitoring.check_results (
    id bigint NOT NULL,
    check_id integer NOT NULL,
    checked_at timestamptz NOT NULL,
    verdict monitoring.verdict NOT NULL,
    latency_ms real,
    PRIMARY KEY (id, checked_at)
) PARTITION BY RANGE (checked_at);
CREATE TABLE monitoring.check_results_2024_h1 PARTITION OF monitoring.check_results
    FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2024-07-01 00:00+00');
CREATE TABLE monitoring.check_results_2024_h2 PARTITION OF monitoring.check_results
    FOR VALUES FROM ('2024-07-01 00:00+00') TO ('2025-01-01 00:00+00');

CREATE TABLE monitoring.metric_samples (
    id bigint PRIMARY KEY,
    service text NOT NULL,
    metric text,
    sampled_at timestamptz NOT NULL,
    value double precision NOT NULL
);

-- New and still empty.
CREATE TABLE monitoring.player_reports (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    player_id uuid NOT NULL,
    reason text NOT NULL,
    reported_at timestamptz NOT NULL
);

CREATE TABLE monitoring.pipeline_runs (
    id bigint PRIMARY KEY,
    pipeline text NOT NULL,
    zone text NOT NULL,
    finished_at timestamptz,
    rows_written bigint NOT NULL
);

CREATE TABLE monitoring.freshness (
    table_name text PRIMARY KEY,
    newest_row_at timestamptz,
    expected_every interval NOT NULL
);
