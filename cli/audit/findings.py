"""What an audit can find: values that are printed as they are, one JSON object each. Pure.

`severity`: `fault` if something is wrong (exit code 1); `pending` if something announced and still open explains it; `note`
for something that was wrong and is in order now.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from schemas.raw import Counts, FileType

Severity = Literal["fault", "pending", "note"]
What = Literal["missing", "phantom", "changed", "not_in_catalogue", "only_in_catalogue", "catalogue_differs"]
"""`missing`: on the disk and not in the log; `phantom`: in the log and not on the disk; `changed`: different on the disk and
in the log. The other three are the same for log and catalogue."""


class Finding(Struct, frozen=True, kw_only=True, tag_field="finding"):
    """Base of all findings. `why`: the explanation, empty if there is none."""

    severity: Severity
    root: str
    why: str = ""


class RootFound(Finding, frozen=True, kw_only=True, tag="root"):
    """Something about a root as a whole: it was not compared, or only in part."""


class Hole(Finding, frozen=True, kw_only=True, tag="hole"):
    """Sequence numbers that are missing. `offset`: of the record that came instead. `late`: how many of them came after it;
    they do not count, because their order is lost. `healed_at`: offset of the end of the baseline that published everything
    again."""

    epoch: str
    first_seq: int
    last_seq: int
    partition: int
    offset: int
    late: int = 0
    healed_at: int | None = None


class Repeated(Finding, frozen=True, kw_only=True, tag="repeated"):
    """Consecutive records whose sequence numbers came before. `first_offset`: the first offset of the first of them, if
    still known; `same`: they are equal to the earlier ones, byte for byte. Different records with the same number mean that
    another producer wrote with this epoch: a fault until a baseline, which ended at `healed_at`, has published everything
    again."""

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
    """A message in the change log that is no valid record: it became a dead letter."""

    partition: int
    offset: int


class GapFound(Finding, frozen=True, kw_only=True, tag="gap"):
    """A gap that a producer announced. `closed_by`: `gap_closed`, or what else closed it."""

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
    """What is at a path. Size and time of a directory are not compared, and are 0 here."""

    type: FileType
    size: int = 0
    mtime_ns: int = 0

    @classmethod
    def of(cls, type: FileType, size: int, mtime_ns: int) -> PathState:
        """From the values of the disk, a record or a row."""
        return cls(type) if type == "dir" else cls(type, size, mtime_ns)


class Difference(Finding, frozen=True, kw_only=True, tag="difference"):
    """A path that differs between the log and the disk or the catalogue. `log`: the log's state; `other`: that of the disk
    or the catalogue; `fields`: what differs, if both have something. `offset`, `at`, `record`, `cause`: of the last record
    that names the path."""

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
    """Summary of the audit. `roots`: the compared roots; `elsewhere`: roots in the log that this machine does not have;
    `paths`: number of paths of the compared roots, according to the log; `dropped`: records that do not count, by reason;
    `catalogue`: whether it was compared; `next_offsets`: up to where each partition was read."""

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
