"""From the change log to what everybody reads: the way of a record, and who runs each part of it.

    change log ─▶ library ─▶ changes, media updates, analysis updates, jobs ─┬─▶ projector ─▶ PostgreSQL
        ▲         (core)                                                     ├─▶ status ─▶ system updates
        └─────────────────────────────── results ◀── analysis ◀── jobs ──────┘      ▲
                                                               reports of all processes

    core        the library fold: pure, decides everything, from the log alone
    library     runs the fold of each lane, in Kafka transactions
    analysis    jobs to results: probes files, in limited child processes
    status      reports and gaps to system updates
    alerts      what of all that somebody should see to, and to whom it is brought
    projector   topics to PostgreSQL, rows and position in one transaction (a process of its own)

Only `library` knows `core`; otherwise the six are blind to each other and meet in topics only. Beside them, for the
processes:

    main        the stream worker: composition of all but the projector
    settings    its settings, and the projector's
    app         the Faust application, with its dangerous defaults taken away
    guard       an event is left only when what it caused is confirmed, or in the dead letter queue
    errors      the one tree of what can go wrong
    confirmed   publishing that is known to have happened
    member      a member of a group beside the Faust app
    watch       whether the agents move, measured from outside
    lag         how far each reader of a worker is behind
    metrics     what a worker counts
    slot        a worker's static name: leased, kept over restarts, held by one process at a time
"""
