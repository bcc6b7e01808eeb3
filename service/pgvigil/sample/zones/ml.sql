-- ml: models and what they predict.
CREATE SCHEMA ml;
COMMENT ON SCHEMA ml IS 'Models and predictions';

CREATE TABLE ml.model_versions (
    model text NOT NULL,
    version integer NOT NULL,
    metrics jsonb NOT NULL,
    PRIMARY KEY (model, version)
);

CREATE TABLE ml.predictions (
    id bigint PRIMARY KEY,
    model text NOT NULL,
    version integer NOT NULL,
    player_id uuid NOT NULL,
    churn real NOT NULL
);

CREATE TABLE ml.features (
    name text PRIMARY KEY,
    definition text NOT NULL
);

CREATE TABLE ml.embeddings (
    igdb_id bigint PRIMARY KEY,
    vector real[] NOT NULL
);

CREATE TABLE ml.training_runs (
    id bigint PRIMARY KEY,
    model text NOT NULL,
    loss double precision NOT NULL,
    ran_at timestamptz NOT NULL
);
