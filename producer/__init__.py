"""From the file system to the change log: the state of each path, recorded once, in order, and never lost.

The watcher is the fast path; a scan compared with the persisted index is the truth. One thread per root observes
and writes index and outbox in one transaction; one asyncio task per root sends the outbox to Kafka.

    backends (watch) ─▶ core.normalise ─▶ examine ┐
    backends (tree) ─▶ scanner (against the index)┴▶ verifier ─▶ journal ─▶ index + outbox ─▶ sender ─▶ kafka_log ─▶ Kafka

Four laws make index and tree converge without a periodic check of everything. A path that arrives is always watched and
listed, with all below it. A watch is identified by the kernel's number for it, never by a path. A path is recorded only
after its parent directory. What a file is (device, inode, size, time) decides where it came from, before the order in
which it is met. `tests/oracle` tries to break them.

`main` runs all roots of a process, `watched` one of them, and `root` its thread; `declared` reads which roots are
configured, and `real_paths` where they are. Which of several producers watches a root is read from a log (`lease_log`,
`core.lease`), and `tenure` stores the claim under which an outbox is written. In the thread, `keeper` decides by the table
`core.life` what a turn does; `commands` carries out operators' commands (`control` reads them and hands them on as
`orders`); `scanning` decides which scan runs; `mounts` tracks what is mounted below the root; `memory` stores what must
survive a restart; `hashing` has whole files read in the background and records their MD5; `world` holds what the thread
depends on. `reporting` turns a root's `condition` into a report, `metrics` into numbers; `spans` exports the first span of
each trace. `state` and `database` are the files; `settings`, `ports`, `clock` and `errors` are shared by all.
"""
