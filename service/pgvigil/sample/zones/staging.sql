-- staging: typed and deduplicated, rebuilt by every load. Keys are checked by the loader, not by the database.
CREATE SCHEMA staging;
COMMENT ON SCHEMA staging IS 'Zone 2: parsed and typed, rebuilt by every load';

CREATE TABLE staging.games (
    igdb_id bigint PRIMARY KEY,
    title text NOT NULL,
    developer text,
    release_date date,
    list_price numeric(10, 2)
);

CREATE TABLE staging.game_titles (
    igdb_id bigint NOT NULL,
    language text NOT NULL,
    title text NOT NULL,
    PRIMARY KEY (igdb_id, language)
);

CREATE TABLE staging.releases (
    igdb_id bigint NOT NULL,
    platform text NOT NULL,
    released_on date,
    PRIMARY KEY (igdb_id, platform)
);

CREATE TABLE staging.reviews (
    id bigint PRIMARY KEY,
    igdb_id bigint NOT NULL,
    stars numeric(2, 1) NOT NULL,
    words integer NOT NULL
);

CREATE TABLE staging.players (
    id uuid PRIMARY KEY,
    handle text NOT NULL,
    country char(2),
    joined_at timestamptz NOT NULL
);

CREATE TABLE staging.prices (
    igdb_id bigint NOT NULL,
    seen_on date NOT NULL,
    price numeric(10, 2) NOT NULL,
    PRIMARY KEY (igdb_id, seen_on)
);

CREATE TABLE staging.streams (
    stream_id numeric(20, 0) PRIMARY KEY,
    igdb_id bigint,
    minutes integer NOT NULL
);

CREATE TABLE staging.transactions (
    webhook_id bigint PRIMARY KEY,
    account_no numeric(20, 0) NOT NULL,
    amount numeric(12, 2) NOT NULL,
    currency char(3) NOT NULL
);

CREATE TABLE staging.merge_candidates (
    left_igdb_id bigint NOT NULL,
    right_igdb_id bigint NOT NULL,
    likeness double precision NOT NULL,
    PRIMARY KEY (left_igdb_id, right_igdb_id)
);

CREATE TABLE staging.rejects (
    id bigserial PRIMARY KEY,
    source text NOT NULL,
    reason text NOT NULL,
    payload jsonb
);

CREATE TABLE staging."load control" (
    "Step" smallint PRIMARY KEY,
    "Table" text NOT NULL,
    "Last Row" bigint NOT NULL
);
