"""Changes: what has happened, as the fold decided (topic `catalog.fs.changes.v1`, key = library).

A change is a settled, debounced, rename-resolved fact about a path, or a fact about the observation itself
(root lost, scan finished, gap). `kind` identifies the type. `at` is the append time of the record at which the fold
decided, ISO 8601.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from schemas.found import MediaType
from schemas.raw import Counts, FileType, Origin, Protocol, RootIdentity, Standing


class ChangeBase(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Common to all changes."""

    library: str
    root: str
    at: str


class PathChange(ChangeBase, frozen=True, kw_only=True, omit_defaults=True):
    """Common to changes of one path. `settled` false: the file was still being written at the max hold; there is no
    media update for it. `cause` is the same for changes that belong together (the move of a directory and of its
    files)."""

    path: str
    type: FileType
    origin: Origin
    size: int = 0
    mtime_ns: int = 0
    path_b64: str | None = None
    media_id: int | None = None
    fingerprint: str | None = None
    scan_id: int | None = None
    cause: str | None = None
    settled: bool = True


class Created(PathChange, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="created"):
    """Something is at the path where nothing was."""


class Modified(PathChange, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="modified"):
    """What is at the path has other content or another identity than before."""


class Deleted(PathChange, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="deleted"):
    """Nothing is at the path any more, and no rename explains it."""


class Renamed(PathChange, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="moved"):
    """What was at `from_root`/`from_path` is at `root`/`path` now; the media id is kept. `from_taken`: what was last
    published at `from_path` stays there, because the two have changed places."""

    from_path: str
    from_path_b64: str | None = None
    from_root: str
    from_taken: bool = False


class TreeRenamed(ChangeBase, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="tree_moved"):
    """A directory moved with all that is below it; one `moved` per path below follows with the same cause.
    `from_taken`: as in `moved`."""

    path: str
    from_path: str
    from_root: str
    count: int
    cause: str
    path_b64: str | None = None
    from_path_b64: str | None = None
    from_taken: bool = False


class RootChanged(ChangeBase, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="root_changed"):
    """A root was declared, lost, is back, or was removed from the catalogue by an operator (`retired`; `cause`: the
    operator)."""

    state: Literal["declared", "lost", "back", "retired"]
    epoch: str
    cause: str | None = None
    site: str | None = None
    protocol: Protocol | None = None
    location: str | None = None
    identity: RootIdentity | None = None


class ScanChanged(ChangeBase, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="scan_changed"):
    """A scan started, finished, or was ended by another one before it finished (`superseded`)."""

    scan_id: int
    state: Literal["started", "finished", "superseded"]
    origin: Origin
    cause: str
    subtree: str = ""
    total: int | None = None
    counts: Counts | None = None


class GapChanged(ChangeBase, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="gap_changed"):
    """Observations may be missing (`open`), or have been made up for (`closed`). A jump of `seq` is
    a gap of its own with cause `seq_jump` and the range that is missing, closed by the next whole scan."""

    state: Literal["open", "closed"]
    cause: str
    subtree: str = ""
    first_seq: int | None = None
    last_seq: int | None = None
    counts: Counts | None = None


class AnalysisRequestChanged(
    ChangeBase, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="analysis_request_changed"
):
    """A requested analysis (`request`: its id; `reason`; `by`: who requested it) has started, has made progress, was
    paused or resumed, or has ended (`finished`, or `cancelled` with the jobs that were still open). `repeated`: the
    same analysis was requested again while this one was in progress; nothing changes. `matched`: items that matched
    when it began; `asked`: jobs requested so far, and of these `processed`, `identified` and `failed`."""

    request: int
    state: Literal["started", "progress", "paused", "resumed", "repeated", "finished", "cancelled"]
    reason: str
    by: str
    subtree: str = ""
    media_types: tuple[MediaType, ...] = ()
    statuses: tuple[Standing, ...] = ()
    matched: int = 0
    asked: int = 0
    processed: int = 0
    identified: int = 0
    failed: int = 0


Change = (
    Created
    | Modified
    | Deleted
    | Renamed
    | TreeRenamed
    | RootChanged
    | ScanChanged
    | GapChanged
    | AnalysisRequestChanged
)
