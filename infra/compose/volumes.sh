#!/bin/sh
# Backup and restore of the containers' data: `volumes.sh save FOLDER` and `volumes.sh load FOLDER`, each while nothing runs
# (docker compose stop). One archive for each volume, with owners and times, and the secrets beside them.
#
# A backup appears under its name when it is complete. `load` writes only into volumes that are empty or do not exist yet.
set -eu
umask 077

engine=${CONTAINER_ENGINE:-docker}
project=${COMPOSE_PROJECT_NAME:-catalogizer}
here=$(cd "$(dirname "$0")" && pwd)
# any image with tar; this one is there anyway
image=${ARCHIVE_IMAGE:-$(sed -n 's/^ *image: \(postgres:.*\)$/\1/p' "$here/../../docker-compose.yml")}
volumes="kafka kafka-2 kafka-3 postgres watch stream project"

fail() {
    echo "$1" >&2
    exit 1
}

# archive VOLUME MODE FOLDER ARGUMENT...: tar with the volume as /volume and the folder as /backup
archive() {
    volume=$1 mode=$2 folder=$3
    shift 3
    "$engine" run --rm --network none --user 0:0 --volume "${project}_$volume:/volume:$mode" --volume "$folder:/backup" \
        --entrypoint tar "$image" "$@"
}

there() { "$engine" volume inspect "${project}_$1" > /dev/null 2>&1; }

running=$("$engine" ps --quiet --filter "label=com.docker.compose.project=$project")
[ -z "$running" ] || fail "something of $project runs: docker compose stop"

case "${1:-}" in
save)
    [ -n "${2:-}" ] && [ ! -e "$2" ] || fail "usage: $0 save FOLDER, which is not there yet"
    mkdir -p "$2.part"
    part=$(cd "$2.part" && pwd)
    for volume in $volumes; do
        if there "$volume"; then
            archive "$volume" ro "$part" --create --numeric-owner --sparse --directory /volume --file "/backup/$volume.tar" .
            echo "saved $volume"
        fi
    done
    cp -a "$here/secrets" "$part/secrets"
    (cd "$part" && find . -type f ! -name SHA256SUMS -exec sha256sum {} + > SHA256SUMS)
    sync
    mv "$part" "$2"
    ;;
load)
    [ -f "${2:-}/SHA256SUMS" ] || fail "usage: $0 load FOLDER, which \`save\` has made"
    folder=$(cd "$2" && pwd)
    (cd "$folder" && sha256sum --quiet --check SHA256SUMS) || fail "$2 is damaged; nothing was restored"
    for file in "$folder"/*.tar; do
        volume=$(basename "$file" .tar)
        if there "$volume" && [ -n "$(archive "$volume" ro "$folder" --create --file - --directory /volume . | tar --list | sed -n 2p)" ]; then
            fail "volume ${project}_$volume is not empty; nothing was restored"
        fi
    done
    [ ! -e "$here/secrets" ] || cmp -s "$here/secrets/database_url" "$folder/secrets/database_url" ||
        fail "$here/secrets has secrets of another installation; nothing was restored"
    for file in "$folder"/*.tar; do
        volume=$(basename "$file" .tar)
        archive "$volume" rw "$folder" --extract --numeric-owner --same-owner --directory /volume --file "/backup/$volume.tar"
        echo "restored $volume"
    done
    [ -e "$here/secrets" ] || cp -a "$folder/secrets" "$here/secrets"
    ;;
*)
    fail "usage: $0 save|load FOLDER"
    ;;
esac
