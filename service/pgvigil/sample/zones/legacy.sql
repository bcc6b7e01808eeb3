-- legacy: the platform before this one. Deprecated: kept for auditors, nothing may point here any more.
CREATE SCHEMA legacy;
COMMENT ON SCHEMA legacy IS 'Deprecated: the platform before this one';

-- Emptied by the migration to curated; the tables were never dropped.
CREATE TABLE legacy.players (
    id uuid PRIMARY KEY,
    handle text NOT NULL,
    country char(2),
    email text NOT NULL,
    joined_at timestamptz NOT NULL
);

CREATE TABLE legacy.games (
    id bigint PRIMARY KEY,
    title text NOT NULL,
    score numeric(5, 2)
);

CREATE TABLE legacy."GameMaster" (
    "GameID" integer PRIMARY KEY,
    "GameName" varchar(120) NOT NULL,
    "Active" char(1) NOT NULL
);

CREATE TABLE legacy.sessions_2019 (
    session_key varchar(32) PRIMARY KEY,
    player_no integer NOT NULL,
    seconds integer NOT NULL
);

CREATE TABLE legacy.scores (
    player_no integer NOT NULL,
    game_no integer NOT NULL,
    score numeric NOT NULL,
    PRIMARY KEY (player_no, game_no)
);

CREATE TABLE legacy.import_map (
    old_game_no integer PRIMARY KEY,
    igdb_id bigint NOT NULL
);

CREATE TABLE legacy.tmp_backup_20230401 (
    doc jsonb
);
