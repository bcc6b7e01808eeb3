#!/bin/sh
# Makes what compose.yaml mounts and is not in the repository. Run it again whenever rules, routes or dashboards change.
set -eu
cd "$(dirname "$0")"

# The secrets, once: what is there already stays. The directory is closed to everybody else on this machine. The files
# are not, since each container reads those that it is given as a user of its own.
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

# Copies whose links lead to this machine, each time. Their directories stay: running containers have them mounted.
for folder in ../prometheus ../alertmanager ../../grafana/dashboards; do
    copy=linked/$(basename "$folder")
    mkdir -p "$copy"
    rm -f "$copy"/*
    for file in "$folder"/*; do
        sed -e 's|https://pgvigil.example.org|http://127.0.0.1:9925|g' \
            -e 's|https://grafana.example.org|http://127.0.0.1:3000|g' "$file" > "$copy/$(basename "$file")"
    done
done
