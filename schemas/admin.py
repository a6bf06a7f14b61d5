"""Records about the platform itself: positions of the fold, epochs of topics, control messages."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Counters(Struct, frozen=True, kw_only=True):
    """The last `x-n` assigned per topic, in one lane; 0: none yet."""

    changes: int = 0
    media_updates: int = 0
    analysis_updates: int = 0


class Position(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the fold of a lane has processed the change log (topic `catalog.library.positions.v1`, key = lane): the
    last record of every transaction. `next_offset`: in the change log; `written`: how many outputs of the record at
    that offset are already published, if they take several transactions; `counters`: their values before that record;
    `epoch`: the change log's topic epoch, so that a recreated log is never mistaken for the old one; `rules`: digest of
    the rules in use, and `program`: the version of the program that had them."""

    lane: int
    epoch: str
    next_offset: int
    counters: Counters
    fold_version: int
    at: str
    written: int = 0
    rules: str = ""
    program: str = ""


class SnapshotManifest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last record of a snapshot: the state of a lane at one offset of the change log is complete in
    `catalog.library.snapshots.v1` (key `slot/manifest`). Its chunks come before it, with keys `slot/number`, from
    offset `begin` on. `next_offset`: the state includes every record of the change log before it; `epoch`: the change
    log's topic epoch; `fold_version`, `rules`: the rules in use; `size`: bytes of all chunks; `checksum`: XXH3 (128
    bits, hexadecimal) of all these fields and the chunks; `format`: the encoding of the bytes."""

    lane: int
    epoch: str
    next_offset: int
    fold_version: int
    rules: str
    program: str
    format: int
    slot: int
    begin: int
    chunks: int
    size: int
    checksum: str
    at: str


class TopicEpoch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Written once by the provisioner for each topic it creates (topic `catalog.meta.v1`, key = topic). The
    `epoch` distinguishes the topic from a later one of the same name. `topic_id`: Kafka's own id of the topic, empty if
    it was not known. If Kafka reports another id, the topic was deleted and created again by other means."""

    topic: str
    epoch: str
    partitions: int
    at: str
    topic_id: str = ""


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Common to all commands of an operator for a root (topic `catalog.control.v1`, key = root). `id`: chosen at random
    by the sender; a command that arrives again with the same id is not executed again. `by`: the sender; `at`: the
    sender's clock."""

    id: str
    root: str
    by: str
    at: str


class RescanRoot(Command, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="rescan_root"):
    """Scan the root, or the directory `subtree` and all below it, now. Differences are published with cause
    `requested`. `again`: everything in the root is published, as by its first scan, whether it differs or not. This
    repairs whatever the change log has lost of the root."""

    reason: str
    subtree: str = ""
    subtree_b64: str | None = None
    again: bool = False


class AcceptRoot(Command, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="accept_root"):
    """Accept the directory that is at the root's path now as the root, although it is not the directory that was known:
    the root was restored or moved. Only differences are published."""


class RetireRoot(Command, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="retire_root"):
    """The root has left the catalogue (`root_retired` in the change log). If it is watched again, everything in it is
    published again."""


Pause = Literal["root", "scans"]


class PauseRoot(Command, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="pause_root"):
    """Pause the root until it is resumed; a pause survives restarts. `what`: `root`: nothing is read there and nothing
    is published (a gap with cause `paused`); `scans`: only scans stop, which continue later from where they are, while
    changes are still observed."""

    reason: str
    what: Pause = "root"


class ResumeRoot(Command, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="resume_root"):
    """Resume what was paused. A root that was paused as a whole is scanned."""


Control = RescanRoot | AcceptRoot | RetireRoot | PauseRoot | ResumeRoot
