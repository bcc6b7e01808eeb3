-- community: guilds (bought from a German studio, with its names) and the forum.
CREATE SCHEMA community;
COMMENT ON SCHEMA community IS 'Guilds and forum';

CREATE TABLE community."Gilden" (
    "Nr." integer PRIMARY KEY,
    "Name" text NOT NULL,
    "Gründung" date NOT NULL
);

CREATE TABLE community."Gilden-Mitglieder" (
    "Gilde Nr." integer NOT NULL,
    player_id uuid NOT NULL,
    "Rang" text NOT NULL,
    PRIMARY KEY ("Gilde Nr.", player_id)
);

CREATE TABLE community.threads (
    id bigint PRIMARY KEY,
    title text NOT NULL,
    locked boolean NOT NULL
);

CREATE TABLE community.posts (
    id bigint PRIMARY KEY,
    thread_id bigint NOT NULL,
    reply_to bigint,
    author_id uuid NOT NULL,
    body text NOT NULL
);

CREATE TABLE community.likes (
    post_id bigint NOT NULL,
    player_id uuid NOT NULL,
    PRIMARY KEY (post_id, player_id)
);

CREATE TABLE community.blocks (
    player_id uuid NOT NULL,
    blocked_id uuid NOT NULL,
    PRIMARY KEY (player_id, blocked_id)
);

CREATE TABLE community.moderation_cases (
    id bigserial PRIMARY KEY,
    post_id bigint NOT NULL,
    opened_at timestamptz NOT NULL
);
