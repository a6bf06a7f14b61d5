"""The core, pure: from records of the change log to what they mean. No clock, no network, no randomness.

`fold` is the composition, and the only way in. The others, in the order in which a record passes them:

    rules          all that decides outputs besides the records: one frozen value per version
    state          everything that is kept of a lane: plain tables
    state_bytes    these tables as bytes, and back
    multi          a map with mostly one value per key (of the state's derived tables)
    intake         what may enter: a record of a known version with valid paths, decoded
    clock          lane time, the only clock
    moment         when something is decided, and with which record: passed to every stage
    due            what is due next, including jobs
    directories    what is directly below each directory (of the state's derived tables)
    deadlines      which deadline comes first (of the state's derived tables)
    roots          which producers' records are accepted: epochs and sequence numbers
    root_changes   what is published of a root itself
    sightings      what the record of an observation does
    settle         when a path has been quiet long enough
    ties           which known file was moved, as the kernel reported, to which path that has not settled
    decide         which differences are changes, and which stage handles each
    known          what was last published at each path, found by place, identity and fingerprint
    renames        which deletion and which creation are one move
    unpublished    directories that have moved, whose move is not published yet
    trees          moves of directories with all below them
    retire         a root leaves the catalogue
    scans          where a scan begins and ends, and what a baseline found missing
    catalogue      items: opened, changed, closed, analysed
    precedence     which source takes precedence if a path and the contents differ
    neighbours     which picture, subtitle or NFO file belongs to which item beside it
    naming         what is read from a name
    path_names     what is read from a whole path, from version 3 of the rules on
    jobs           analysis jobs: requested, requested again, ended
    requests       analysis on request: which request is next, how many jobs are open at once
    request_changes  what is published of a request
    tally          counts of scans and batches: what is open, and the results
    completion     when a tally is complete
    emit           outputs with ids and consecutive numbers

A stage receives the state and the rules and keeps nothing itself. It returns the tallies of which it has ended
something.
"""
