"""From the log to PostgreSQL: every topic that people and pages query in the database, as rows.

    main ── flow ──┬── assigned ── positions        where to continue: database, group and log compared (pure)
                   └── writing ─┬─ keeping ── plan ─┬ changed   records to rows (pure; values in `rows`, fields in
                                │                   └ updates   `reading`), or to dead letters
                                └─ store ── bulk ── statements  rows and position in one database transaction
    new_tables                                      filled next to the old ones, then swapped (`cli.rebuilding`)
    replay                                          moving the projector back by our own command

The database's own position decides, in the same transaction as the rows; the group's offset is for lag tools,
and for an operator who resets it. The projector decides nothing about files: the fold has decided.
"""
