"""Decides which scan runs, and records its start and end.

Requested scans, of the whole root or of a directory, are announced, numbered, and run one after another; one that is
requested again before it has begun runs once. New and moved-in directories are scanned first, and unannounced. A scan
closes the gaps below its directory that were open when it began.

A scan requested by an operator is always finished in the end, and so is a scan of the whole root that was interrupted (the
root was lost, the outbox full, the process killed): it examines everything again under its number, and records nothing
twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from producer import metrics
from producer.backends.interface import Tree, Watch
from producer.core.activity import Activity
from producer.core.facts import Fact, Sums
from producer.core.filters import Filters
from producer.errors import Unreadable
from producer.index import Index
from producer.journal import Journal, Written
from producer.memory import Memory, OpenGap, ScanRequest, StartedScan
from producer.mounts import UNMOUNTED, Mounts
from producer.orders import CommandOutcome, scanned
from producer.outbox import LIVE, Outbox, Via
from producer.ports import Clock
from producer.scanner import Scan
from producer.verifier import Verifier
from schemas.paths import is_inside
from schemas.raw import Origin

CONFIRM_SECONDS = 60.0
"""Between a scan that found suspiciously much gone and the one that may record it."""

MASS_DELETION = "mass_deletion"
WATCH_LIMIT = "watch_limit"
WATCH_UNAVAILABLE = "watch_unavailable"


@dataclass(slots=True)
class Announced:
    """The announced scan that runs. `healing`: the gaps open when it began; `expected`: how many entries were known
    then below its directory."""

    scan: Scan
    request: ScanRequest
    number: int
    healing: list[OpenGap]
    sums: Sums
    expected: int


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """Of the announced scan."""

    number: int
    looked: int
    expected: int
    finished: bool = False


class Scanning:
    """The scans of one root. `verifier` verifies facts before they are written, and raises RootFault when the root is not
    what it should be; `activity` gets the facts of scans that are no baseline, where the watch does not report all."""

    def __init__(
        self, journal: Journal, index: Index, outbox: Outbox, memory: Memory, filters: Filters, clock: Clock,
        *, verifier: Verifier, mounts: Mounts, activity: Activity | None = None, confirm_seconds: float = CONFIRM_SECONDS,
    ) -> None:  # fmt: skip
        self._journal = journal
        self._index = index
        self._outbox = outbox
        self._memory = memory
        self._filters = filters
        self._clock = clock
        self._verifier = verifier
        self._mounts = mounts
        self._activity = activity
        self._confirm_seconds = confirm_seconds
        self._watch: Watch | None = None
        self._requested = deque(self._memory.scan_requests())
        self.paused = False
        self._running: Announced | None = None
        self._small: deque[Scan] = deque()
        self._withheld: frozenset[str] = frozenset()
        self._confirm_at: float | None = None
        self.finished_at: float | None = None
        self._outcome: CommandOutcome | None = None
        self.unreadable: tuple[str, ...] = ()
        self.progress: ScanProgress | None = None

    @property
    def is_busy(self) -> bool:
        """True while there is something to scan now."""
        return bool(self._small) or (self.is_announced and not self.paused)

    @property
    def is_announced(self) -> bool:
        """True while an announced scan runs, or is about to."""
        return self._running is not None or bool(self._requested)

    @property
    def confirm_at(self) -> float | None:
        """When the scan is due that may record what an earlier one withheld."""
        return self._confirm_at

    def arm(self, watch: Watch | None) -> None:
        """Scans add their directories to this watch from here on."""
        self._watch = watch

    def request(self, origin: Origin, cause: str, subtree: str = "", *, command: str | None = None) -> None:
        """Scan a directory (`""`: the whole root), now or after the scans requested before."""
        request = ScanRequest(origin, cause, subtree, command)
        if not any(queued.covers(request) for queued in self._requested):
            self._requested.append(request)

    def request_first(self, origin: Origin, cause: str, *, command: str | None = None) -> None:
        """Scan the whole root before anything that operators requested while it could not be observed. An interrupted scan
        of the whole root is continued instead."""
        interrupted = (queued for queued in self._requested if queued.started is not None and not queued.subtree)
        request = ScanRequest(origin, cause, command=command)
        first = next((queued for queued in interrupted if command in (None, queued.command)), request)
        superseded = [
            queued for queued in self._requested if queued.started is not None and queued.command is None
        ]
        rest = (queued for queued in self._requested if queued not in superseded and not first.covers(queued))
        self._requested = deque((first, *rest))

    def follow(self, written: Written) -> None:
        """Stop watching what is gone, and scan directories that are new at their place."""
        self._settle(written)
        self._open(written.opened)

    def compare(self, directories: Sequence[str]) -> None:
        """Compare the entries of directories with the index, and scan those of them that are new: in one scan, so that a
        move from one to another is recorded as a move."""
        if not directories:
            return
        resend = self._running is not None and self._running.scan.resend
        last = self._small[-1] if self._small else None
        if last is None or last.resend != resend or not last.take_in(directories):
            self._small.append(self._scan(resend=resend, directories=directories))

    def _settle(self, written: Written) -> None:
        """As `follow`, for what a scan wrote: the scan itself lists what is new."""
        if self._watch is not None:
            for path in written.closed:
                self._watch.remove(path)
        self._open(written.unplaced)

    def _open(self, directories: Sequence[str]) -> None:
        """Scan directories, once where one contains another. While a baseline runs, everything below them is recorded,
        known or not: at the baseline's end what it has not recorded counts as gone."""
        resend = self._running is not None and self._running.scan.resend
        waiting = {scan.subtree for scan in self._small if scan.resend == resend and scan.is_ahead}
        for path in directories:
            if waiting.isdisjoint(_and_above(path)):
                self._small.append(self._scan(subtree=path, resend=resend))
                waiting.add(path)

    def abandon(self) -> None:
        """End all scans: the root is lost, or is going to be scanned from the beginning. Those to be finished are stored."""
        self._requested = deque(self._memory.scan_requests())
        self._running = self.progress = None
        self._small.clear()

    def take_outcome(self) -> CommandOutcome | None:
        """The outcome of the last scan that an operator requested; returned once."""
        outcome, self._outcome = self._outcome, None
        return outcome

    def tick(self, now: float) -> None:
        """Request the confirming scan when it is due."""
        if self._confirm_at is not None and now >= self._confirm_at and not self.is_announced:
            self.request("scan", MASS_DELETION)

    def step(self, tree: Tree) -> None:
        """Continue whatever is to be scanned. Raises RootFault and sqlite3.Error."""
        if self._small:
            self._step_small(tree)
        elif self._running is not None:
            self._step_announced(tree, self._running)
        elif self._requested:
            self._begin(self._requested[0], tree)
            self._requested.popleft()

    def open_gap(self, cause: str, subtree: str = "") -> None:
        """Record a gap, unless the same is open already."""
        metrics.MISSED.labels(self._outbox.root, cause).inc()
        if any(gap.cause == cause and is_inside(subtree, gap.subtree) for gap in self._memory.gaps()):
            return

        def record() -> None:
            self._memory.open_gap(cause, subtree)
            self._outbox.gap_open(cause, subtree)

        self._journal.transact(record)

    def list_again(self, directories: Sequence[str]) -> None:
        """List these directories, without what is below their entries."""
        self._small.extend(self._scan(subtree=path, directories=(path,)) for path in directories)

    def _scan(
        self,
        *,
        subtree: str = "",
        resend: bool = False,
        confirmed: frozenset[str] = frozenset(),
        directories: Sequence[str] | None = None,
    ) -> Scan:
        return Scan(
            self._index, self._filters, self._watch, self._clock, directories=directories,
            subtree=subtree, resend=resend, confirmed=confirmed, is_lost=self._mounts.is_lost,
        )  # fmt: skip

    def _step_small(self, tree: Tree) -> None:
        scan = self._small[0]
        began = self._clock.monotonic()
        facts = self._verifier.verified(scan.step(tree))
        if facts or not scan.alone:
            self._settle(self._journal.write(facts, LIVE, resend=scan.resend))
        self._saw(facts)
        scan.took += self._clock.monotonic() - began
        if scan.done:
            self._small.popleft()
            if self._running is not None:
                self._running.scan.unreadable += scan.unreadable
            if scan.alone:
                self._listed(scan)

    def _listed(self, scan: Scan) -> None:
        if self._activity is not None:
            self._activity.listed(scan.subtree, self._clock.monotonic(), scan.took)
        if scan.withheld and self._confirm_at is None:
            self.request("scan", MASS_DELETION)  # which has to find the same, and so has another one after it

    def _saw(self, facts: Sequence[Fact]) -> None:
        if self._activity is not None and facts:
            self._activity.saw(facts, self._clock.monotonic())

    def _begin(self, request: ScanRequest, tree: Tree) -> None:
        subtree = self._known_directory(request.subtree, tree)
        if not self._memory.has_baseline:
            request, subtree = replace(request, origin="baseline"), ""
        confirmed: frozenset[str] = frozenset()
        if self._confirm_at is not None and not subtree and self._clock.monotonic() >= self._confirm_at:
            confirmed, self._withheld, self._confirm_at = self._withheld, frozenset(), None
        healing = [gap for gap in self._memory.gaps() if is_inside(gap.subtree, subtree)]
        started = request.started if not request.subtree else None
        resend = request.origin == "baseline" and started is None
        if started is None:
            started = self._announce(replace(request, subtree=subtree))
        scan = self._scan(subtree=subtree, resend=resend, confirmed=confirmed)
        expected = self._index.count(subtree)
        self._running = Announced(scan, request, started.number, healing, started.sums, expected)
        self.progress = ScanProgress(started.number, 0, expected)

    def _announce(self, request: ScanRequest) -> StartedScan:
        numbers: list[int] = []

        def record() -> None:
            numbers.append(self._memory.take_scan_number())
            self._memory.scan_started(numbers[0], request)
            self._outbox.scan_started(numbers[0], request.origin, request.cause, request.subtree)

        self._journal.transact(record)
        return StartedScan(numbers[0], Sums())

    def _known_directory(self, path: str, tree: Tree) -> str:
        """The nearest directory, upwards, that is known and there: a new path is recorded after its parents."""
        while path and not self._is_known_directory(path, tree):
            path = path.rpartition("/")[0]
        return path

    def _is_known_directory(self, path: str, tree: Tree) -> bool:
        known = self._index.get(path)
        if known is None or known.state.type != "dir":
            return False
        try:
            state = tree.stat(path)
        except Unreadable:
            return False
        return state is not None and state.type == "dir"

    def _step_announced(self, tree: Tree, announced: Announced) -> None:
        facts = self._verifier.verified(announced.scan.step(tree))
        if facts:
            via = Via(announced.request.origin, announced.number, announced.request.cause)
            written = self._journal.write(
                facts, via, resend=announced.scan.resend,
                also=lambda sums: self._memory.scan_progressed(announced.number, announced.sums.plus(sums)),
            )  # fmt: skip
            announced.sums = announced.sums.plus(written.sums)
            self._settle(written)
            if announced.request.origin != "baseline":
                self._saw(facts)
        scan = announced.scan
        self.progress = ScanProgress(announced.number, scan.looked, announced.expected, scan.done)
        if scan.done:
            self._running = None
            self._finish(announced)

    def _finish(self, announced: Announced) -> None:
        scan, request = announced.scan, announced.request
        self._take_unreadable(scan)
        if not scan.subtree:
            self.finished_at = self._clock.monotonic()
        if scan.withheld and self._confirm_at is None:
            self._withheld = scan.withheld
            self._confirm_at = self._clock.monotonic() + self._confirm_seconds
        counts = announced.sums.counts()
        lasting = self._lasting()
        lost_meanwhile = any(queued.command is None for queued in self._requested)

        def record() -> None:
            self._outbox.scan_finished(
                announced.number, request.origin, request.cause, scan.subtree, total=announced.sums.there,
                counts=counts, unseen=[path for path in self.unreadable if is_inside(path, scan.subtree)],
            )  # fmt: skip
            self._memory.scan_ended(announced.number)
            if request.origin == "baseline":
                self._memory.set_baseline()
            for gap in () if lost_meanwhile else announced.healing:
                if gap.cause not in lasting and not (gap.cause == UNMOUNTED and self._mounts.is_lost(gap.subtree)):
                    self._memory.close_gap(gap)
                    self._outbox.gap_closed(gap.cause, gap.subtree, counts)

        self._journal.transact(record)
        if request.command is not None:
            self._outcome = scanned(request.command, counts)
        for cause in lasting:
            self.open_gap(cause)

    def _take_unreadable(self, scan: Scan) -> None:
        elsewhere = [path for path in self.unreadable if not is_inside(path, scan.subtree)]
        self.unreadable = (*elsewhere, *(error.path for error in scan.unreadable))

    def _lasting(self) -> set[str]:
        """Causes of gaps that no scan can close at present."""
        lasting = set()
        if self._confirm_at is not None:
            lasting.add(MASS_DELETION)
        if self._watch is None:
            lasting.add(WATCH_UNAVAILABLE)
        elif self._watch.coverage.unwatched:
            lasting.add(WATCH_LIMIT)
        return lasting


def _and_above(path: str) -> Iterator[str]:
    yield path
    while path:
        path = path.rpartition("/")[0]
        yield path
