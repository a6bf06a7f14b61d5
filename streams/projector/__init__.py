"""From the log to PostgreSQL: every topic that people and pages ask the database about, as rows.

    main ── flow ──┬── assigned ── positions        where to go on: database, group and log compared (pure)
                   └── writing ─┬─ keeping ── plan ─┬ changed   records to rows (pure; values in `rows`, words in
                                │                   └ told      `reading`), or to dead letters
                                └─ store ── bulk ── statements  rows and position in one database transaction
    new_tables                                      filled beside the old ones, in their place at once (`cli.rebuilding`)
    replay                                          moving it back by our own command

The database's own position decides, in the same transaction as the rows; the group's offset is for lag tools,
and for an operator who resets it. Decides nothing about files: the fold has.
"""
