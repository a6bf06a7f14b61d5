"""The fold's whole state in one place: everything that is kept of a lane. Nothing else keeps anything.

Plain tables of plain rows. A row names another one by its key and never by a Python reference: a `RootPath` for what
is known, pending or held there, a `TallyId` for a tally, a job's id. `state_bytes` writes the
tables and reads them back, and a fold goes on from there with the same outputs.

Below these tables are the derived ones, which refer to rows directly because they can be built again: known files and
held creations by inode and by fingerprint, ties, the heap of deadlines. One thing of them is kept as well: the order in
which several files of one inode or fingerprint came, because it decides between equals.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from copy import copy
from itertools import chain
from operator import attrgetter
from typing import NewType

from msgspec import Struct, field

from schemas.admin import Counters
from schemas.found import Found, MediaType
from schemas.media import Analysis
from schemas.raw import Correction, FileState, FileType, Origin, Protocol, RootIdentity, Standing
from streams.core.clock import LaneClock
from streams.core.deadlines import Deadlines
from streams.core.directories import Directories
from streams.core.multi import Multi
from streams.core.rules import FIRST_VERSION, Windows

TallyId = NewType("TallyId", int)
"""A tally's number in its lane, from 1, never used twice."""

Ended = tuple[TallyId, ...]
"""Tallies of which something has ended, so that they may be complete now. Stages return these."""


class RootPath(Struct, frozen=True, gc=False, array_like=True):
    """A path in a root: the key of what is known, pending or held there."""

    root: str
    path: str

    @property
    def name(self) -> str:
        """The last component."""
        return self.path.rpartition("/")[2]

    @property
    def above(self) -> Iterator[RootPath]:
        """The directories above it, below the root."""
        path = self.path
        while (end := path.rfind("/")) > 0:
            path = path[:end]
            yield RootPath(self.root, path)


class Sighting(Struct, frozen=True, gc=False, array_like=True):
    """One observation as the stages pass it on. `offset` and `trace`: of its record; `state` None: nothing is there;
    `tally`: the scan that made it."""

    state: FileState | None
    offset: int
    origin: Origin
    cause: str | None = None
    tally: TallyId | None = None
    trace: bytes | None = None


class Former(Struct, frozen=True, gc=False, array_like=True):
    """The analysis of a file before it changed, kept until the fingerprint of the new content is known: it may be the
    same content again."""

    fingerprint: str
    analysis: Analysis


class Links(Struct, frozen=True, gc=False, array_like=True):
    """What an item has from the files beside it (`neighbours`). `belongs_to`: the item that it is a part of; `cover`,
    `subtitles` (languages) and `facts`: from its parts."""

    belongs_to: int | None = None
    cover: str | None = None
    subtitles: tuple[str, ...] = ()
    facts: Found | None = None


class Entry(Struct, eq=False, gc=False, array_like=True):
    """One known path. `media_id` is 0 for what is not a regular file; `job`: the open analysis job's id;
    `created_at` in milliseconds since 1970; `links`: as last published; `correction`: by a person."""

    library: str
    root: str
    path: str
    type: FileType
    size: int
    mtime_ns: int
    dev: int
    inode: int
    created_at: int
    fingerprint: str | None = None
    media_id: int = 0
    analysis: Analysis | None = None
    job: str | None = None
    former: Former | None = None
    links: Links | None = None
    correction: Correction | None = None

    @classmethod
    def seen(cls, library: str, place: RootPath, state: FileState, created_at: int) -> Entry:
        """The entry for what was observed at a place."""
        return cls(
            library, place.root, place.path, state.type, state.size, state.mtime_ns, state.dev, state.inode,
            created_at,
        )  # fmt: skip

    @property
    def place(self) -> RootPath:
        """Where it is."""
        return RootPath(self.root, self.path)

    @property
    def name(self) -> str:
        """The last component of its path."""
        return self.path.rpartition("/")[2]


BY_ID = attrgetter("media_id")
"""Entries in the order of their items."""


class Pending(Struct, eq=False, gc=False, array_like=True):
    """A path that has not settled. `carries`: the place of the known file that was moved here, as the kernel reported.
    `waited`: its decision was postponed once, to give the file that seems to have come here time to leave its former
    place. Times are lane times."""

    place: RootPath
    state: FileState | None
    offset: int
    origin: Origin
    cause: str | None
    tally: TallyId | None
    trace: bytes | None
    first_at: int
    last_at: int
    windows: Windows
    carries: RootPath | None = None
    fingerprint: str | None = None
    waited: bool = False
    deadline: int | None = None
    order: int = 0

    @property
    def seen(self) -> Sighting:
        """The last observation."""
        return Sighting(self.state, self.offset, self.origin, self.cause, self.tally, self.trace)

    @property
    def due_at(self) -> int:
        """Quiet for the debounce window, or the max hold."""
        quiet, held = self.last_at + self.windows.debounce, self.first_at + self.windows.max_hold
        return quiet if quiet < held else held

    @property
    def still_changing(self) -> bool:
        """At its deadline: it is due because of the max hold and not because it is quiet."""
        return self.last_at + self.windows.debounce > self.first_at + self.windows.max_hold


class Hold(Struct, eq=False, gc=False, array_like=True):
    """One settled half of what may be a move, waiting for the other: a deletion of what is known at `place`
    (`is_gone`), or a creation there. `expires_at`: lane time at which its window ends."""

    is_gone: bool
    library: str
    place: RootPath
    seen: Sighting
    expires_at: int
    fingerprint: str | None = None
    deadline: int | None = None
    order: int = 0


class MovedTree(Struct, eq=False, gc=False, array_like=True):
    """A directory that has moved with all below it, whose move is not published yet. `place`: where it is; `published`:
    where it was last published. Times are lane times."""

    place: RootPath
    published: RootPath
    library: str
    seen: Sighting
    first_at: int
    windows: Windows
    deadline: int | None = None
    order: int = 0

    @property
    def above(self) -> Iterator[RootPath]:
        """The directories above both places."""
        return chain(self.place.above, self.published.above)

    def due_at(self, now: int) -> int:
        """Quiet for the debounce window from now, or the max hold."""
        return min(now + self.windows.debounce, self.first_at + self.windows.max_hold)


class OpenJob(Struct, eq=False, gc=False, array_like=True):
    """A job without a result, of the known file at `place`. `requested_at` in lane time."""

    id: str
    place: RootPath
    tally: TallyId
    requested_at: int
    attempt: int


class Tally(Struct, eq=False, array_like=True):
    """What is counted of a scan, of an analysis on request (`request`), or of a batch of other jobs (neither).
    `outstanding`: its paths not yet decided; `open_jobs`: its jobs without a result; `number`: the producer's number of
    the scan; `jumps`: the root's when a baseline began; `seen`: paths observed since then; `started_at`: lane time at
    which the first job was requested."""

    id: TallyId
    library: str
    root: str
    scan_id: int | None = None
    number: int = 0
    subtree: str = ""
    origin: Origin = "live"
    cause: str = ""
    finished: bool = True
    arrived: int = 0
    jumps: int = 0
    outstanding: int = 0
    open_jobs: int = 0
    processed: int = 0
    identified: int = 0
    failed: int = 0
    started_at: int | None = None
    seen: set[str] | None = None
    deadline: int | None = None
    order: int = 0
    request: int | None = None

    @property
    def complete(self) -> bool:
        """Nothing of it is open any more."""
        return self.finished and not self.outstanding and not self.open_jobs


class Request(Struct, eq=False, array_like=True):
    """An analysis on request that has not ended. `cursor`: the media id up to which items have been processed;
    `matched`: how many matched when it began; `asked`: jobs requested so far; `reported`: how many had ended when its
    progress was last published. `finished` of its tally: all items have been processed."""

    id: int
    library: str
    root: str
    subtree: str
    media_types: tuple[MediaType, ...]
    statuses: tuple[Standing, ...]
    reason: str
    by: str
    tally: TallyId
    cursor: int = 0
    matched: int = 0
    asked: int = 0
    reported: int = 0
    cancelled: bool = False


class ReportedGap(Struct, frozen=True, gc=False, array_like=True):
    """Changes below a directory may have been missed."""

    subtree: str
    cause: str


class Root(Struct, eq=False, array_like=True):
    """What the fold knows of a root. `scans`: by the producer's number, those not complete; `batch`: of jobs outside
    scans; `jumps`: of seq, not closed yet; `same_identity`: the root is the same as before the present epoch; `former`:
    earlier epochs and the last seq of each, so that a declaration sent again cannot restore one; `term`: of the claim
    under which the present epoch was declared; `gaps`: open gaps that the producer has published, and `left_gaps`:
    those of earlier epochs, which no producer will close; `lost`: it cannot be observed now."""

    name: str
    library: str
    epoch: str
    site: str
    protocol: Protocol
    location: str
    identity: RootIdentity | None
    windows: Windows
    last_seq: int = 0
    jumps: int = 0
    same_identity: bool = True
    scans: dict[int, TallyId] = field(default_factory=dict)
    batch: TallyId | None = None
    baseline: TallyId | None = None
    former: dict[str, int] = field(default_factory=dict)
    term: int = 0
    gaps: list[ReportedGap] = field(default_factory=list)
    left_gaps: list[ReportedGap] = field(default_factory=list)
    lost: bool = False


class Numbers(Struct, array_like=True):
    """The last `x-n` assigned per topic."""

    changes: int = 0
    media_updates: int = 0
    analysis_updates: int = 0

    @property
    def counters(self) -> Counters:
        """An immutable copy."""
        return Counters(
            changes=self.changes, media_updates=self.media_updates, analysis_updates=self.analysis_updates
        )


FileIndex = Multi[Entry] | Multi[Pending] | Multi[Hold]


class State:
    """All tables of a lane, the kept ones first. `rules_version`: of the rules in force; `known`: by root and path;
    `gone` and `new`: held deletions and creations; `jobs`: in the order in which they were requested (an OrderedDict,
    because finding the first key of a plain dict costs as much as the removed keys before it); `requests`: by id,
    oldest first; `held`: libraries in which an operator has paused requests; `dropped`: ignored records, by reason."""

    def __init__(self) -> None:
        self.clock = LaneClock()
        self.numbers = Numbers()
        self.rules_version = FIRST_VERSION
        self.last_tally = TallyId(0)
        self.tallies: dict[TallyId, Tally] = {}
        self.roots: dict[str, Root] = {}
        self.known: dict[str, dict[str, Entry]] = {}
        self.pending: dict[RootPath, Pending] = {}
        self.gone: dict[RootPath, Hold] = {}
        self.new: dict[RootPath, Hold] = {}
        self.trees: dict[RootPath, MovedTree] = {}
        self.jobs: OrderedDict[str, OpenJob] = OrderedDict()
        self.requests: dict[int, Request] = {}
        self.held: set[str] = set()
        self.dropped: Counter[str] = Counter()
        self.taken: dict[int, Entry | OpenJob] | None = None
        """While a snapshot is being written (`state_bytes.Snapshot`): rows as they were when that began."""

        # derived: built again by `state_bytes.decode`
        self.by_age: list[Entry] | None = None
        """Known items by media id, built when there is a request and dropped with the last request; items that are no
        longer known stay in it until then."""
        self.directories: dict[str, Directories] = {}
        """Of each root's known paths."""
        self.by_inode: Multi[Entry] = Multi()
        self.by_fingerprint: Multi[Entry] = Multi()
        self.pending_by_inode: Multi[Pending] = Multi()
        self.new_by_inode: Multi[Hold] = Multi()
        self.new_by_fingerprint: Multi[Hold] = Multi()
        self.movers: dict[RootPath, RootPath] = {}
        """From the place of a known file to where it was moved, as the kernel reported: the inverse of
        `Pending.carries`."""
        self.trees_from: dict[RootPath, RootPath] = {}
        """From where a moved directory was last published to where it is."""
        self.above_trees: Counter[RootPath] = Counter()
        """How many of these places are below a directory."""
        self.deadlines: Deadlines[Pending | Hold | MovedTree | Tally] = Deadlines()

    def changing(self, row: Entry | OpenJob) -> None:
        """Must be called before a row of `known` or `jobs` is changed in place: a snapshot is the state of one moment,
        while the fold continues."""
        if self.taken is not None and id(row) not in self.taken:
            self.taken[id(row)] = copy(row)

    @property
    def indexes(self) -> tuple[FileIndex, ...]:
        """The indexes of which the order among equals is kept."""
        return (
            self.by_inode,
            self.by_fingerprint,
            self.pending_by_inode,
            self.new_by_inode,
            self.new_by_fingerprint,
        )

    @property
    def holds(self) -> Iterable[Hold]:
        """Both kinds, deletions first."""
        return chain(self.gone.values(), self.new.values())
