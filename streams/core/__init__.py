"""The heart, pure: from records of the change log to what they mean. No clock, no network, no randomness.

`fold` is the composition, and the only way in. The others, in the order in which a record passes them:

    rules          all that decides outputs besides the records: one frozen value per version
    state          all there is to keep of a lane: plain tables
    state_bytes    these tables as bytes, and back
    multi          a map with mostly one value per key (of the state's derived tables)
    intake         what may enter: a record of a known version with sound paths, decoded
    clock          lane time, the only clock
    moment         when something is decided, and with which record: handed to every stage
    due            what is due next, jobs included
    directories    what is directly below each directory (of the state's derived tables)
    deadlines      which deadline comes first (of the state's derived tables)
    roots          which producers' records count: epochs and sequence numbers
    root_changes   what is reported of a root itself
    sightings      what the record of an observation does
    settle         when a path has been quiet long enough to be believed
    ties           which known file the kernel says was moved to which path that has not settled
    decide         only a difference is a change, and where each goes
    known          what was last reported to be at each path, found by place, identity and fingerprint
    renames        which deletion and which creation are one move
    untold         directories that have moved, of which that has not been told
    trees          a directory moved with all below it
    retire         a root leaves the catalogue
    scans          where a scan begins and ends, and what a baseline found missing
    catalogue      items: opened, changed, closed, analysed
    telling        who wins where a path and the contents say different things
    neighbours     what lies beside what: which picture, subtitle or file of facts belongs to which item
    naming         what a name tells
    path_names     what a whole path tells, from version 3 of the rules on
    jobs           analysis jobs: asked, asked again, ended
    requests       analysis on request: whose turn it is, how many jobs are open at once
    request_changes  what is reported of one
    tally          of scans and batches: what is open, what came out
    completion     when a tally is complete
    emit           outputs with ids and dense numbers

A stage is given the state and the rules and keeps nothing itself; what it has ended it returns.
"""
