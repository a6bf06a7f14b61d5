"""Analysis: a job names a file, a result says what is in it, and every job ends in a result.

`agent` jobs in, covers and results out · `analyst` one job: open, probe, check, cover · `files` opens a file below its
root, and nothing else · `children` the pool of limited child processes · `child` one of them · `limits` what a child may
use · `wire` the messages between the two · `probe` the readers, one per media type.

Parsers of files run only in children: a child may crash, hang or use too much memory, and that is a result too.
"""
