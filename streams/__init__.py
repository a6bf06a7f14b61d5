"""From the change log to the topics and tables that others read: the way of a record, and which package does what.

    change log ─▶ library ─▶ changes, media updates, analysis updates, jobs ─┬─▶ projector ─▶ PostgreSQL
        ▲         (core)                                                     ├─▶ status ─▶ system updates
        └─────────────────────────────── results ◀── analysis ◀── jobs ──────┘      ▲
                                                               reports of all processes

    core        the library fold: pure, decides everything, from the log alone
    library     runs the fold of each lane, in Kafka transactions
    analysis    jobs to results: probes files, in limited child processes
    status      reports and gaps to system updates
    alerts      which problems need a person's attention, and their delivery
    projector   topics to PostgreSQL, rows and position in one transaction (a process of its own)

Only `library` imports `core`; otherwise the six do not know each other and communicate only through topics. In addition,
for the processes:

    main        the stream worker: composition of all but the projector
    settings    its settings, and the projector's
    app         the Faust application, without its dangerous defaults
    guard       an event is left only when its outputs are confirmed, or it is in the dead letter queue
    errors      the tree of all errors
    confirmed   publishing that waits for the acknowledgement
    member      a member of a consumer group besides the Faust app
    group_offsets  a group's offset is of one life of its topic
    uncovered   groups of which nobody reads some partition
    watch       whether the agents make progress, measured from outside
    lag         how far each reader of a worker is behind
    metrics     the metrics of a worker
    slot        a worker's static name: leased, kept over restarts, held by one process at a time
"""
