#!/bin/sh
# Creates the secrets that docker-compose.yml mounts, and the folders for those that you add; existing ones are kept.
# The folder is closed to others. What is in it is not, because the containers' user reads it.
set -eu
umask 022
folder=$(dirname "$0")/secrets
mkdir -p "$folder" "$folder/watch" "$folder/stream" "$folder/serve" "$folder/kafka"
chmod 700 "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

make() {
    if [ ! -s "$folder/$1" ]; then
        printf '%s' "$2" > "$folder/$1.part"
        mv "$folder/$1.part" "$folder/$1"
        echo "made $folder/$1"
    fi
}

make postgres_password "$(random)"
make database_url "postgresql://catalogizer:$(cat "$folder/postgres_password")@postgres:5432/catalogizer"
make token_secret "$(random)"
make admin_password "$(random | cut -c1-16)"
make grafana_password "$(random | cut -c1-16)"
echo "sign in as admin with the password in $folder/admin_password"
