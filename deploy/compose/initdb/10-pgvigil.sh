#!/bin/sh
# Run once, by PostgreSQL's image, on a new and empty data directory: the state store, and a shop to watch.
set -eu
secrets=${SECRETS:-/run/secrets}
role=${ROLE_SQL:-/etc/pgvigil/pgvigil.sql}

ask() {
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" "$@"
}

ask --dbname=postgres --set=password="$(cat "$secrets/state_password")" <<'SQL'
CREATE ROLE pgvigil_state LOGIN PASSWORD :'password';
CREATE DATABASE pgvigil OWNER pgvigil_state;
REVOKE CONNECT ON DATABASE pgvigil FROM PUBLIC;
CREATE DATABASE shop;
SQL

ask --dbname=shop <<'SQL'
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, placed_at timestamptz NOT NULL);
INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(1, 100) AS n;
INSERT INTO orders SELECT n, 1 + n % 100, now() - n * interval '1 minute' FROM generate_series(1, 1000) AS n;
-- The fault to find: a customer is deleted past the trigger that guards the ten orders.
SET session_replication_role = replica;
DELETE FROM customers WHERE id = 7;
SQL

# The role that looks at it, and the only one of the two whose password pgvigil has for the shop.
ask --dbname=shop --file="$role"
ask --dbname=shop --set=password="$(cat "$secrets/pgvigil_password")" <<'SQL'
ALTER ROLE pgvigil PASSWORD :'password';
SQL
