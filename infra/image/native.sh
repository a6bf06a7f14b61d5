#!/bin/sh
# Compiles what of the gateway is compiled (gateway/log/frames.c) into /native; the compiler stays behind.
set -eu
apt-get install --yes --quiet=2 --no-install-recommends gcc libc6-dev libpython3.11-dev
place=/native/opt/catalogizer/lib/python3.11/site-packages
mkdir -p "$place"
python3.11 /build/compiling.py "$place"
test -n "$(ls "$place")" # a missing compiler is no error to it
sh /build/compile.sh /native # for the times
