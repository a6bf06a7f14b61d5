"""From the file system to the change log: what is at each path, said once, in order, and never lost.

The watcher is the fast path; a scan compared with the persisted index is the truth. One thread per root observes
and writes index and outbox in one transaction; one asyncio task per root sends the outbox to Kafka.

    inotify ─▶ watch ─▶ core.normalise ─▶ examine ┐
    scanner (listing against the index) ──────────┴▶ journal ─▶ index + outbox ─▶ sender ─▶ Kafka

`root` keeps one root alive through losses, overflows and a full outbox; `main` keeps all of them.
"""
