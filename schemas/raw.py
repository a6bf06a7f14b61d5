"""The change log's records: observations.

An observation states what is at a path now, or that nothing is there; it never states what happened. Every record that
anything later depends on is one of these, in one total order per library (topic `catalog.fs.raw.v1`, key =
library). `kind` identifies the type. A producer's record has `root`, `epoch`, `seq` and `observed_at`;
results, retirements and ticks do not. Readers ignore fields they do not know; new fields get defaults.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from schemas.found import Found, MediaType

FileType = Literal["file", "dir", "symlink", "other"]
Origin = Literal["live", "scan", "reconcile", "baseline"]
Protocol = Literal["local", "smb", "nfs"]
ResultStatus = Literal["done", "failed", "unreadable"]
Standing = ResultStatus | Literal["none"]
"""How the newest analysis of an item ended; `none`: it has none."""


class FileState(Struct, frozen=True, omit_defaults=True):
    """What is at a path. `inode` is the SMB file id on shares. `ctime_ns`: when content or attributes last changed,
    which programs cannot set; 0 if it is not known. Integers are 64 bit: `mtime_ns` passes 2^53, so JavaScript readers
    must parse it as a big integer."""

    type: FileType
    size: int
    mtime_ns: int
    dev: int
    inode: int
    nlink: int = 1
    ctime_ns: int = 0


class RootIdentity(Struct, frozen=True, omit_defaults=True):
    """What distinguishes a root from another directory mounted at its path."""

    dev: int
    inode: int
    fsid: int = 0
    marker: str | None = None


class Counts(Struct, frozen=True, omit_defaults=True):
    """How many differences a scan or a closed gap found."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0


class ProducerRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Common to all records of a producer. `epoch`: one life of an outbox; `seq`: consecutive per (root, epoch), from
    1; `observed_at`: the producer's clock, ISO 8601, for information only: nothing is decided by it."""

    root: str
    epoch: str
    seq: int
    observed_at: str


class Observed(ProducerRecord, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="observed"):
    """What is at `path`; `file` null: nothing."""

    path: str
    file: FileState | None
    origin: Origin
    path_b64: str | None = None
    scan: int | None = None
    cause: str | None = None


class Moved(ProducerRecord, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="moved"):
    """`file` is at `path` now, and the kernel or the index knows that it was at `from_path` before."""

    path: str
    from_path: str
    file: FileState
    origin: Origin
    path_b64: str | None = None
    from_path_b64: str | None = None
    scan: int | None = None
    cause: str | None = None


class Fingerprint(
    ProducerRecord, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="fingerprint"
):
    """The content's fingerprint. It belongs to the file of that (size, mtime_ns, inode) at `path`.

    `xxh3`: 32 hex digits, XXH3-128 of size (8 bytes, little endian) + first, middle and last 64 KiB. Of a file under 100 MB
    a second one follows when the whole file has been read, the same with `md5`."""

    path: str
    size: int
    mtime_ns: int
    inode: int
    xxh3: str
    path_b64: str | None = None
    md5: str | None = None


class RootDeclared(
    ProducerRecord, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="root_declared"
):
    """A root's settings; the fold reads them from here and nowhere else. Adopts `epoch` for the root, unless one of a
    higher `term` has been adopted: terms are those of the producers' claims (topic `catalog.leases.v1`)."""

    library: str
    site: str
    protocol: Protocol
    location: str
    identity: RootIdentity | None
    debounce_ms: int = 2_000
    max_hold_ms: int = 30_000
    rename_window_ms: int = 2_000
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    term: int = 0


class RootLost(ProducerRecord, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="root_lost"):
    """The root cannot be observed: it is missing, unmounted, replaced or unreadable. This deletes nothing."""

    cause: str


class RootBack(ProducerRecord, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="root_back"):
    """The root can be observed again; a scan of the whole root follows."""

    cause: str


class GapOpen(ProducerRecord, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="gap_open"):
    """From here on observations below `subtree` may be missing."""

    cause: str
    subtree: str = ""
    subtree_b64: str | None = None


class GapClosed(ProducerRecord, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="gap_closed"):
    """A scan has closed the gap; `counts`: what had been missed."""

    cause: str
    counts: Counts
    subtree: str = ""
    subtree_b64: str | None = None


class ScanStarted(
    ProducerRecord, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="scan_started"
):
    """A scan of `subtree` begins; its records carry `scan`, a number unique per (root, epoch)."""

    scan: int
    origin: Origin
    cause: str
    subtree: str = ""
    subtree_b64: str | None = None
    total: int | None = None


class Unseen(Struct, frozen=True, omit_defaults=True):
    """A path that a scan could not read: a directory that could not be listed, or a file whose attributes could not be
    read. The scan does not know whether anything is there or below it."""

    path: str
    path_b64: str | None = None


class ScanFinished(
    ProducerRecord, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="scan_finished"
):
    """The scan is complete: it walked the whole subtree, as far as it could be read. `total`: how many of its
    records name something that is there (what is there is sent first, what is gone last). `unseen`: the paths that
    it could not read; what is known there or below must not be regarded as gone because the scan did not find it. The
    empty path is the root itself, and so applies to everything."""

    scan: int
    origin: Origin
    cause: str
    total: int
    counts: Counts
    subtree: str = ""
    subtree_b64: str | None = None
    unseen: tuple[Unseen, ...] = ()


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="result"):
    """What an analysis job found. (size, mtime_ns, inode) are those of the file that was probed."""

    job: str
    media_id: int
    root: str
    size: int
    mtime_ns: int
    inode: int
    status: ResultStatus
    reason: str | None = None
    found: Found | None = None


class RootRetired(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="root_retired"):
    """An operator removes a root from the catalogue: its items are deleted with cause `retired`, whatever is on the
    disk. `by`: the operator; `at`: their clock, ISO 8601, for information only."""

    root: str
    by: str
    at: str


class RulesAdopted(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="rules_adopted"):
    """From here on the lane is folded by the rules of this `version`, and everything known is derived again by them. A
    version that is not above the present one is ignored. `program`: the version of the program that has these rules;
    `by`: the operator; `at`: their clock, ISO 8601, for information only."""

    version: int
    program: str
    by: str
    at: str


class AnalysisRequested(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="analysis_requested"
):
    """Analyse again what is known of the root and matches: below `subtree`, of one of these media types, with one of these
    statuses (empty: any). Items observed after this record do not belong to it. Items are processed in the order of
    their media ids, and whether an item matches is decided when it is processed. `by`: who requested it; `at`: their
    clock, ISO 8601, for information only."""

    root: str
    reason: str
    by: str
    at: str
    subtree: str = ""
    subtree_b64: str | None = None
    media_types: tuple[MediaType, ...] = ()
    statuses: tuple[Standing, ...] = ()


class AnalysisSteered(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="analysis_steered"
):
    """Pauses, resumes or cancels analysis on request in the library that is the record's key. `pause`: no more jobs of
    any request are started until `resume`; `cancel`: no more jobs of the requests in progress, or only of `request`.
    Files that change are analysed as always. `by`, `at`: as in the request."""

    action: Literal["pause", "resume", "cancel"]
    reason: str
    by: str
    at: str
    request: int | None = None


CorrectedField = Literal["title", "year", "season", "episode", "category", "cover"]
"""The members of an item that a person may set."""


class Correction(Struct, frozen=True, omit_defaults=True):
    """What a person has set of an item; absent members are not set. `title` without year or episode, which are appended
    to it; `category`: one of `schemas.found.CATEGORIES`; `cover`: a hash in `catalog.covers.v1`."""

    title: str | None = None
    year: int | None = None
    season: int | None = None
    episode: int | None = None
    category: str | None = None
    cover: str | None = None


class Corrected(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="corrected"):
    """A person corrects an item: these members override everything that is read from its path and its file, also after
    both have changed, until another correction sets other values or withdraws them (`withdrawn`). A correction of an
    unknown item is ignored. `root`, `path`: where the item was last known to be, to find it by. `by`: who; `at`: their
    clock, ISO 8601, for information only."""

    media_id: int
    root: str
    path: str
    by: str
    at: str
    correction: Correction = Correction()
    withdrawn: tuple[CorrectedField, ...] = ()
    path_b64: str | None = None


class Tick(Struct, frozen=True, tag_field="kind", tag="tick"):
    """No content: only its append time matters."""


ProducedRecord = (
    Observed
    | Moved
    | Fingerprint
    | RootDeclared
    | RootLost
    | RootBack
    | GapOpen
    | GapClosed
    | ScanStarted
    | ScanFinished
)
RawRecord = (
    ProducedRecord | Result | RootRetired | RulesAdopted | AnalysisRequested | AnalysisSteered | Corrected | Tick
)
