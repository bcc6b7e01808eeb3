#!/bin/sh
# Makes the secrets that compose.yaml names, once: what is there already stays.
set -eu
cd "$(dirname "$0")"

# The directory is closed to everybody else on this machine. The files are not, since each container reads
# those that it is given as a user of its own.
mkdir -p secrets
chmod 700 secrets
umask 022

keep() {
    [ -s "secrets/$1" ] || printf '%s' "$2" > "secrets/$1"
}

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

for name in postgres_password state_password pgvigil_password pgvigil_token grafana_password; do
    keep "$name" "$(random)"
done
keep state_url "postgresql+psycopg://pgvigil_state:$(cat secrets/state_password)@postgres/pgvigil"
keep shop_dsn "host=postgres dbname=shop user=pgvigil password=$(cat secrets/pgvigil_password)"
