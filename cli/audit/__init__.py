"""`catalogizer audit`: compares the change log, the catalogue and the disk.

Pure: `findings` (what can be found), `contiguity` (sequence numbers), `announced` (gaps that producers have announced),
`belief` and `believed_tree` (the state according to the log; an independent model that shares no code with the fold),
`comparing`, `reasons` (why a difference may be temporary), `showing`. Shell: `walking` (disk), `reading` (Kafka), `rows`
(PostgreSQL), `auditing` (combines them, lane by lane), `command`. Nothing here writes anything.
"""
