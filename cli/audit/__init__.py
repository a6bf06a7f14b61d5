"""`catalogizer audit`: is what the log says, what the catalogue has and what stands on the disk one and the same?

Pure: `findings` (what can be found), `contiguity` (sequence numbers), `announced` (gaps that producers have announced),
`belief` and `believed_tree` (what a reader of the log takes to be there; a model of its own, which shares no line with the
fold), `comparing`, `reasons` (why a difference may not be one yet), `showing`. Shell: `walking` (disk), `reading` (Kafka),
`rows` (PostgreSQL), `auditing` (their composition, a lane after another), `command`. Nothing here writes anything.
"""
