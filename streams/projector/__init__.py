"""From the log to PostgreSQL: every topic that people and pages ask the database about, as rows.

    main ── flow ──┬── assigned ── positions        where to go on: database, group and log compared (pure)
                   └── writing ─┬─ plan ─┬ changed  records to rows (pure; values in `rows`, words in `reading`)
                                │        └ told
                                ├─ store            rows and position in one database transaction
                                └─ dead letters     what cannot be read or kept
    replay                                          moving it back by our own command

The database's own position decides, in the same transaction as the rows; the group's offset is for lag tools,
and for an operator who resets it. Decides nothing about files: the fold has.
"""
