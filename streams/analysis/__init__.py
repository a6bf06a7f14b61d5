"""Analysis: a job names a file, a result says what is in it, and every job ends in a result.

`agent` jobs in, covers and results out · `analyst` one job: open, probe, check, cover · `files` a file below its
root, opened so that nothing else can be · `children` the pool of limited child processes · `child` one of them ·
`limits` what a child may use · `wire` what the two say to each other · `probe` the readers, one per media type.
Parsers of files run in children only: a child may crash, hang or swell, and that is a result too.
"""
