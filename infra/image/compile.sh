#!/bin/sh
# Compiles everything below $1, a prefix that the image does not have, and gives all files there the same time: two builds of the
# same versions have the same files. Bytecode is not checked against its source, because both are read-only.
set -eu
# one process, because several would share constants differently; a fixed hash seed for the order of sets
PYTHONHASHSEED=0 python3.11 -m compileall -q -j 1 --invalidation-mode unchecked-hash -s "$1" -p / "$1"
find "$1" -depth -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
