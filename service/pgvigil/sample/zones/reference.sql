-- reference: the codes that everything else is written in. Small, slowly changing, loaded by hand.
CREATE SCHEMA reference;
COMMENT ON SCHEMA reference IS 'Shared code lists';

CREATE DOMAIN reference.language_tag AS text CHECK (VALUE ~ '^[a-z]{2}(-[A-Z]{2})?$');

CREATE TABLE reference.countries (
    code char(2) PRIMARY KEY,
    name text NOT NULL,
    continent text NOT NULL
);

CREATE TABLE reference.languages (
    tag reference.language_tag PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE reference.currencies (
    code char(3) PRIMARY KEY,
    minor_units smallint NOT NULL,
    rate_to_eur numeric(14, 6) NOT NULL
);

CREATE TABLE reference.genres (
    id smallint PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE reference.platforms (
    code text PRIMARY KEY,
    name text NOT NULL,
    maker text
);

CREATE TABLE reference.regions (
    code text PRIMARY KEY,
    name text NOT NULL
);

-- Where a platform has a store.
CREATE TABLE reference.platform_regions (
    platform text NOT NULL,
    region text NOT NULL,
    opened_on date NOT NULL,
    PRIMARY KEY (platform, region)
);

CREATE TABLE reference.age_ratings (
    board text NOT NULL,
    label text NOT NULL,
    minimum_age smallint NOT NULL,
    PRIMARY KEY (board, label)
);

CREATE TABLE reference.campaigns (
    code text PRIMARY KEY CHECK (code = upper(code)),
    title text NOT NULL,
    budget numeric(12, 2) NOT NULL
);

CREATE TABLE reference.holidays (
    country char(2) NOT NULL,
    day date NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (country, day)
);
