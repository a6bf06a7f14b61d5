"""What an audit can find: values that are printed as they are, one JSON object each. Pure.

`severity`: `fault` where something is wrong (exit code 1); `pending` where it is explained by something that is announced
and not over; `note` for what was, and is in order now.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from schemas.raw import Counts, FileType

Severity = Literal["fault", "pending", "note"]
What = Literal["missing", "phantom", "changed", "not_in_catalogue", "only_in_catalogue", "catalogue_differs"]
"""`missing`: on the disk and not in the log; `phantom`: in the log and not on the disk; `changed`: other there than in the
log. The same three for log and catalogue."""


class Finding(Struct, frozen=True, kw_only=True, tag_field="finding"):
    """Common to all. `why`: in words, empty where nobody knows."""

    severity: Severity
    root: str
    why: str = ""


class RootFound(Finding, frozen=True, kw_only=True, tag="root"):
    """Something about a root as a whole: it was not compared, or only in part."""


class Hole(Finding, frozen=True, kw_only=True, tag="hole"):
    """Sequence numbers that never came. `offset`: of the record that came instead. `late`: how many of them came
    after it; they do not count, for order is lost. `healed_at`: offset of the end of the baseline that said everything
    anew."""

    epoch: str
    first_seq: int
    last_seq: int
    partition: int
    offset: int
    late: int = 0
    healed_at: int | None = None


class Repeated(Finding, frozen=True, kw_only=True, tag="repeated"):
    """Records that came again under their numbers, in one piece. `first_offset`: where the first of them stood before,
    where that is still known; `same`: they are the same, byte for byte. Two records of one number that differ are a
    fault until a baseline, which ended at `healed_at`, has said everything anew: somebody else wrote with this epoch."""

    epoch: str
    first_seq: int
    last_seq: int
    partition: int
    offset: int
    last_offset: int
    first_offset: int | None = None
    same: bool | None = None
    healed_at: int | None = None


class NoRecord(Finding, frozen=True, kw_only=True, tag="no_record"):
    """What stands in the change log and is no record: it became a dead letter."""

    partition: int
    offset: int


class GapFound(Finding, frozen=True, kw_only=True, tag="gap"):
    """A gap that a producer announced. `closed_by`: `gap_closed`, or what else made up for it."""

    epoch: str
    cause: str
    subtree: str
    partition: int
    opened_offset: int
    opened_at: str
    subtree_b64: str | None = None
    closed_offset: int | None = None
    closed_at: str | None = None
    closed_by: Literal["gap_closed", "baseline", "retired"] | None = None
    counts: Counts | None = None


class PathState(Struct, frozen=True):
    """What is at a path. Size and time of a directory are no news, and 0 here."""

    type: FileType
    size: int = 0
    mtime_ns: int = 0

    @classmethod
    def of(cls, type: FileType, size: int, mtime_ns: int) -> PathState:
        """As a look, a record or a row has it."""
        return cls(type) if type == "dir" else cls(type, size, mtime_ns)


class Difference(Finding, frozen=True, kw_only=True, tag="difference"):
    """A path of which two of the three say different things. `log`: what the log says; `other`: what the disk, or the
    catalogue, has; `fields`: in what they differ, where both have something. `offset`, `at`, `record`, `cause`: of the last
    record that names the path."""

    what: What
    path: str
    path_b64: str | None = None
    log: PathState | None = None
    other: PathState | None = None
    fields: tuple[str, ...] = ()
    partition: int
    offset: int | None = None
    at: str | None = None
    record: str | None = None
    cause: str | None = None


class Summary(Struct, frozen=True, kw_only=True, tag_field="finding", tag="summary"):
    """What was done and what came of it. `roots`: that were compared; `elsewhere`: roots of the log that this machine does
    not have; `paths`: believed, of the roots compared; `dropped`: records that do not count, by reason; `catalogue`: whether
    it was compared; `next_offsets`: up to where each partition was read."""

    faults: int
    pending: int
    notes: int
    roots: list[str]
    elsewhere: list[str]
    records: int
    paths: int
    holes: int
    repeated: int
    open_gaps: int
    differences: int
    dropped: dict[str, int]
    catalogue: bool
    next_offsets: dict[int, int]


AnyFinding = RootFound | Hole | Repeated | NoRecord | GapFound | Difference
