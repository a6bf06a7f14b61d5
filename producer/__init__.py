"""From the file system to the change log: what is at each path, said once, in order, and never lost.

The watcher is the fast path; a scan compared with the persisted index is the truth. One thread per root observes
and writes index and outbox in one transaction; one asyncio task per root sends the outbox to Kafka.

    backends (watch) ─▶ core.normalise ─▶ examine ┐
    backends (tree) ─▶ scanner (against the index)┴▶ belief ─▶ journal ─▶ index + outbox ─▶ sender ─▶ kafka_log ─▶ Kafka

Four laws make it converge without a periodic look at everything. An arrival at a path always watches and lists it, with
all below it. A watch is known by the kernel's number for it, never by a path. Nothing is known of a path of whose parent
nothing is known. What a file is (device, inode, size, time) decides where it came from, before the order in which it is
met. `tests/oracle` plays against them.

`main` keeps all roots of a process, `watched` one of them, and `root` its thread; `declared` says which they are, and
`places` where they lie. Which of several producers watches a root is read from a log (`lease_log`, `core.lease`), and
`tenure` keeps under which claim an outbox is written. In the thread `keeper` decides by the table `core.life` what a turn
does, `commands` what operators ask (`control` reads it and hands it on as `orders`), `scanning` which scan runs, `mounts`
what is mounted below the root, and `memory` what outlives a restart; `hashing` has whole files read in the background and
tells their MD5; `world` is what it reaches. `reporting` puts a root's `condition` into words, `metrics` into numbers;
`spans` are what a collector of traces is told. `state` and `database` are the files, `settings`, `ports`, `clock` and
`errors` what all share.
"""
