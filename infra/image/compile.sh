#!/bin/sh
# Compiles everything below $1, which will be found without it, and gives all files there one time: two builds of the same
# versions are the same files. Bytecode is not checked against its source, for both are read-only.
set -eu
# one process, for two would share constants differently; no random order of sets in them
PYTHONHASHSEED=0 python3.11 -m compileall -q -j 1 --invalidation-mode unchecked-hash -s "$1" -p / "$1"
find "$1" -depth -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
