"""The library fold as a service: the pure fold of each lane, run in Kafka transactions.

    service     one worker: its consumer, its lanes
    assignor    which member of the group has which lane: each keeps what it has
    lane        one lane's life: start, live, stop
    agreeing    whether it may continue from its position with this program
    kept        the state that stays in memory, in case the lane comes back
    progress    how far it is
    spans       the trace spans that it exports
    lookup      a topic that is read without a group
    positions   the position of a lane
    beginning   where its fold begins: at a snapshot, or at the beginning of the log
    snapshots   a lane's state in the log, so that a start does not fold all of it
    writer      one transaction: outputs, position, parts of a snapshot, group offset
    ticks       the passing of time, written to the log
    at_position  a lane's fold at its position, for tools
    refold      the same fold over a past range, without any effect on the live one
    errors      what can stop a lane

Why it is a service and not an agent: decision 14.
"""
