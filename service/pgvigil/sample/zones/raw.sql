-- raw: what the sources sent, as they sent it. Nothing here is promised to be right, so nothing is a key.
CREATE SCHEMA raw;
COMMENT ON SCHEMA raw IS 'Zone 1: untouched payloads of the sources';

CREATE TABLE raw.ingest_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    started_at timestamptz NOT NULL,
    took interval NOT NULL
);

CREATE TABLE raw.igdb_payloads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ingest_run bigint NOT NULL,
    payload jsonb NOT NULL,
    checksum bytea NOT NULL
);

CREATE TABLE raw."steam.payloads" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "appId" text NOT NULL,
    payload jsonb NOT NULL,
    fetched_at timestamptz NOT NULL
);

CREATE TABLE raw.epic_payloads (
    id uuid PRIMARY KEY,
    payload json NOT NULL,
    fetched_at timestamptz NOT NULL
);

CREATE TABLE raw.store_prices (
    id bigserial PRIMARY KEY,
    store text NOT NULL,
    external_id text NOT NULL,
    price text,
    currency text
);

CREATE TABLE raw.twitch_streams (
    stream_id numeric(20, 0) PRIMARY KEY,
    channel text NOT NULL,
    tags text[] NOT NULL,
    viewers integer NOT NULL,
    started_at timestamptz NOT NULL
);

CREATE TABLE raw.review_feed (
    id bigserial PRIMARY KEY,
    body text NOT NULL,
    stars real,
    language text
);

CREATE TABLE raw.telemetry_batches (
    batch uuid PRIMARY KEY,
    received_at timestamptz NOT NULL,
    compressed bytea NOT NULL
);

CREATE TABLE raw.payment_webhooks (
    id bigserial PRIMARY KEY,
    body jsonb NOT NULL,
    signature text NOT NULL
);

CREATE TABLE raw.forum_dump (
    line_no bigint PRIMARY KEY,
    line text NOT NULL
);

CREATE TABLE raw.ingest_errors (
    id bigserial PRIMARY KEY,
    ingest_run bigint,
    message text NOT NULL
);
