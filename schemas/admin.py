"""Records about the platform itself: positions of the fold, epochs of topics, control messages."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Counters(Struct, frozen=True, kw_only=True):
    """The last `x-n` given out per topic, in one lane; 0: none yet."""

    changes: int = 0
    media_updates: int = 0
    analysis_updates: int = 0


class Position(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the fold of a lane has come (topic `catalog.library.positions.v1`, key = lane): the last record of
    every transaction. `next_offset`: in the change log; `written`: how many outputs of the record there are already
    published, where they take several transactions; `counters`: before that record; `epoch`: the change log's topic
    epoch, so that a recreated log is never mistaken for the old one; `rules`: digest of the rules that decided, and
    `program`: the version that carried them."""

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
    """A lane's state at one place of the change log is whole in `catalog.library.snapshots.v1` (key `slot/manifest`): its
    chunks stand before it, under `slot/number`, from offset `begin` on. `next_offset`: of the change log, before which the
    state is; `epoch`: that log's; `fold_version`, `rules`: what decided; `size`: bytes of all chunks, `checksum`: XXH3
    (128 bits, hexadecimal) of all these and the chunks; `format`: how the bytes are to be read."""

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
    `epoch` distinguishes the topic from a later one of the same name. `topic_id`: Kafka's own id of the topic, empty
    where it was not known; where Kafka has another one, the topic was made anew by other means."""

    topic: str
    epoch: str
    partitions: int
    at: str
    topic_id: str = ""


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Common to all that an operator asks of a root (topic `catalog.control.v1`, key = root). `id`: drawn by who asks;
    a command that comes again under the same id is not carried out again. `by`: who asks; `at`: their clock."""

    id: str
    root: str
    by: str
    at: str


class RescanRoot(Command, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="rescan_root"):
    """Scan the root, or the directory `subtree` and all below it, now. What differs is told with cause `requested`. `again`:
    all of the root is told, as by its first scan, whether it differs or not: that makes up for whatever the change log has
    lost of it."""

    reason: str
    subtree: str = ""
    subtree_b64: str | None = None
    again: bool = False


class AcceptRoot(Command, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="accept_root"):
    """What stands at the root's place now, though it is not the directory that was known, is the root: it was restored
    or moved. Only what differs is told."""


class RetireRoot(Command, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="retire_root"):
    """The root has left the catalogue (`root_retired` in the change log). Should it be watched again, everything in it is
    told anew."""


Pause = Literal["root", "scans"]


class PauseRoot(Command, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="pause_root"):
    """Leave the root alone until it is resumed, restarts included. `what`: all of it, so that nothing is read there and
    nothing told (a gap, `paused`); or its scans alone, which go on later where they are, while changes are observed."""

    reason: str
    what: Pause = "root"


class ResumeRoot(Command, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="resume_root"):
    """Go on with what was paused. A root that was left alone is scanned."""


Control = RescanRoot | AcceptRoot | RetireRoot | PauseRoot | ResumeRoot
