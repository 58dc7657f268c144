#!/bin/sh
# Makes the secrets of deploy/compose.yaml in deploy/secrets, those that are there left as they are. Tokens need the store:
#
#   deploy/secrets.sh              before the first start
#   deploy/secrets.sh tokens      when PostgreSQL runs: those of Prometheus and Alertmanager
set -eu
umask 077
folder=$(cd "$(dirname "$0")" && pwd)/secrets
mkdir -p "$folder"

# keep NAME: standard input becomes a secret, whole or not at all. The containers run as users of their own and have to read the
# file; the folder keeps other people of this machine out.
keep() {
    cat >"$folder/.$1"
    [ -s "$folder/.$1" ] || { rm "$folder/.$1"; echo "error: $1 is empty" >&2; exit 1; }
    chmod 444 "$folder/.$1"
    mv "$folder/.$1" "$folder/$1"
}
password() { head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'; }
token() { # NAME ROLE
    [ -e "$folder/$1_token" ] ||
        docker compose -f "$folder/../compose.yaml" run --rm --no-deps -T tradewind token new "$1" --role "$2" --days 365 |
        tr -d '\n' | keep "$1_token"
}

[ -e "$folder/postgres_password" ] || password | keep postgres_password
[ -e "$folder/store_url" ] ||
    printf %s "postgres://tradewind:$(cat "$folder/postgres_password")@postgres:5432/tradewind" | keep store_url
[ -e "$folder/grafana_password" ] || password | keep grafana_password
if [ "${1:-}" = tokens ]; then
    token prometheus viewer
    token alertmanager operator
fi
