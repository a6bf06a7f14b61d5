"""Which scan runs, and what is told of it.

Scans that are asked for, of the whole root or of a directory, are announced, numbered, and run one after another; one
that is asked for again before it has begun runs once. New and moved-in directories are scanned first and unannounced. A
scan heals the gaps below its directory that were open when it began.

What an operator wants is finished in the end, and so is a scan of the whole root that was interrupted (the root was lost,
the outbox full, the process killed): it looks at everything again under its number, and what it has told it does not
tell again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from producer import metrics
from producer.backends.interface import Tree, Watch
from producer.belief import Belief
from producer.core.activity import Activity
from producer.core.facts import Fact, Sums
from producer.core.filters import Filters
from producer.errors import Unreadable
from producer.index import Index
from producer.journal import Journal, Written
from producer.memory import Begun, Memory, OpenGap, Wanted
from producer.mounts import UNMOUNTED, Mounts
from producer.orders import CommandOutcome, scanned
from producer.outbox import LIVE, Outbox, Via
from producer.ports import Clock
from producer.scanner import Scan
from schemas.paths import is_inside
from schemas.raw import Origin

CONFIRM_SECONDS = 60.0
"""Between a scan that found suspiciously much gone and the one that may believe it."""

MASS_DELETION = "mass_deletion"
WATCH_LIMIT = "watch_limit"
WATCH_UNAVAILABLE = "watch_unavailable"


@dataclass(slots=True)
class Announced:
    """The announced scan that runs. `healing`: the gaps open when it began; `expected`: how many entries were known
    then where it looks."""

    scan: Scan
    wanted: Wanted
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
    """The scans of one root. `belief` is given facts before they are written, and raises RootFault when the root is
    not what it should be; `activity` is given those of scans that are no baseline, where the watch does not tell all."""

    def __init__(
        self, journal: Journal, index: Index, outbox: Outbox, memory: Memory, filters: Filters, clock: Clock,
        *, belief: Belief, mounts: Mounts, activity: Activity | None = None, confirm_seconds: float = CONFIRM_SECONDS,
    ) -> None:  # fmt: skip
        self._journal = journal
        self._index = index
        self._outbox = outbox
        self._memory = memory
        self._filters = filters
        self._clock = clock
        self._belief = belief
        self._mounts = mounts
        self._activity = activity
        self._confirm_seconds = confirm_seconds
        self._watch: Watch | None = None
        self._asked = deque(self._memory.wanted())
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
        return self._running is not None or bool(self._asked)

    @property
    def confirm_at(self) -> float | None:
        """When the scan is due that may believe what an earlier one withheld."""
        return self._confirm_at

    def arm(self, watch: Watch | None) -> None:
        """Scans add their directories to this watch from here on."""
        self._watch = watch

    def ask(self, origin: Origin, cause: str, subtree: str = "", *, command: str | None = None) -> None:
        """Scan a directory (the whole root), now or when what was asked for before is done."""
        wanted = Wanted(origin, cause, subtree, command)
        if not any(asked.covers(wanted) for asked in self._asked):
            self._asked.append(wanted)

    def ask_first(self, origin: Origin, cause: str, *, command: str | None = None) -> None:
        """Scan the whole root before anything that operators asked for while it could not be observed. One that was
        interrupted goes on and does for it."""
        interrupted = (asked for asked in self._asked if asked.begun is not None and not asked.subtree)
        wanted = Wanted(origin, cause, command=command)
        first = next((asked for asked in interrupted if command in (None, asked.command)), wanted)
        superseded = [asked for asked in self._asked if asked.begun is not None and asked.command is None]
        rest = (asked for asked in self._asked if asked not in superseded and not first.covers(asked))
        self._asked = deque((first, *rest))

    def follow(self, written: Written) -> None:
        """Watch no longer what is gone, and scan directories that are new at their place."""
        self._settle(written)
        self._open(written.opened)

    def compare(self, directories: Sequence[str]) -> None:
        """Compare the entries of directories with what is known of them, and scan those of them that are new: together,
        so that what moved from one to another is one move."""
        if not directories:
            return
        resend = self._running is not None and self._running.scan.resend
        last = self._small[-1] if self._small else None
        if last is None or last.resend != resend or not last.take_in(directories):
            self._small.append(self._scan(resend=resend, directories=directories))

    def _settle(self, written: Written) -> None:
        """As `follow`, of what a scan wrote, which lists what is new to it itself."""
        if self._watch is not None:
            for path in written.closed:
                self._watch.remove(path)
        self._open(written.unplaced)

    def _open(self, directories: Sequence[str]) -> None:
        """Scan directories, once where several hold each other. While a baseline runs, what is below them is said
        whether known or not: the baseline's end takes what it has not heard of for gone."""
        resend = self._running is not None and self._running.scan.resend
        waiting = {scan.subtree for scan in self._small if scan.resend == resend and scan.is_ahead}
        for path in directories:
            if waiting.isdisjoint(_and_above(path)):
                self._small.append(self._scan(subtree=path, resend=resend))
                waiting.add(path)

    def abandon(self) -> None:
        """End all scans: the root is lost, or is going to be scanned from the beginning. Those that are to be finished are
        remembered."""
        self._asked = deque(self._memory.wanted())
        self._running = self.progress = None
        self._small.clear()

    def take_outcome(self) -> CommandOutcome | None:
        """What came of the last scan that an operator wanted, once."""
        outcome, self._outcome = self._outcome, None
        return outcome

    def tick(self, now: float) -> None:
        """Ask for the confirming scan when it is due."""
        if self._confirm_at is not None and now >= self._confirm_at and not self.is_announced:
            self.ask("scan", MASS_DELETION)

    def step(self, tree: Tree) -> None:
        """Go on with whatever is to be scanned. Raises RootFault and sqlite3.Error."""
        if self._small:
            self._step_small(tree)
        elif self._running is not None:
            self._step_announced(tree, self._running)
        elif self._asked:
            self._begin(self._asked[0], tree)
            self._asked.popleft()

    def open_gap(self, cause: str, subtree: str = "") -> None:
        """Tell of a gap, unless the same is open already."""
        metrics.MISSED.labels(self._outbox.root, cause).inc()
        if any(gap.cause == cause and is_inside(subtree, gap.subtree) for gap in self._memory.gaps()):
            return

        def tell() -> None:
            self._memory.open_gap(cause, subtree)
            self._outbox.gap_open(cause, subtree)

        self._journal.say(tell)

    def list_again(self, directories: Sequence[str]) -> None:
        """Look at what is in these directories, without what is below."""
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
        facts = self._belief.believed(scan.step(tree))
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
            self.ask("scan", MASS_DELETION)  # which has to find the same, and another one after it

    def _saw(self, facts: Sequence[Fact]) -> None:
        if self._activity is not None and facts:
            self._activity.saw(facts, self._clock.monotonic())

    def _begin(self, wanted: Wanted, tree: Tree) -> None:
        subtree = self._known_directory(wanted.subtree, tree)
        if not self._memory.has_baseline:
            wanted, subtree = replace(wanted, origin="baseline"), ""
        confirmed: frozenset[str] = frozenset()
        if self._confirm_at is not None and not subtree and self._clock.monotonic() >= self._confirm_at:
            confirmed, self._withheld, self._confirm_at = self._withheld, frozenset(), None
        healing = [gap for gap in self._memory.gaps() if is_inside(gap.subtree, subtree)]
        begun = wanted.begun if not wanted.subtree else None
        resend = wanted.origin == "baseline" and begun is None
        if begun is None:
            begun = self._announce(replace(wanted, subtree=subtree))
        scan = self._scan(subtree=subtree, resend=resend, confirmed=confirmed)
        expected = self._index.count(subtree)
        self._running = Announced(scan, wanted, begun.number, healing, begun.sums, expected)
        self.progress = ScanProgress(begun.number, 0, expected)

    def _announce(self, wanted: Wanted) -> Begun:
        numbers: list[int] = []

        def tell() -> None:
            numbers.append(self._memory.take_scan_number())
            self._memory.scan_begun(numbers[0], wanted)
            self._outbox.scan_started(numbers[0], wanted.origin, wanted.cause, wanted.subtree)

        self._journal.say(tell)
        return Begun(numbers[0], Sums())

    def _known_directory(self, path: str, tree: Tree) -> str:
        """The nearest directory, upwards, that is known and there: what is new is told with its parents."""
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
        facts = self._belief.believed(announced.scan.step(tree))
        if facts:
            via = Via(announced.wanted.origin, announced.number, announced.wanted.cause)
            written = self._journal.write(
                facts, via, resend=announced.scan.resend,
                besides=lambda sums: self._memory.scan_came_to(announced.number, announced.sums.plus(sums)),
            )  # fmt: skip
            announced.sums = announced.sums.plus(written.sums)
            self._settle(written)
            if announced.wanted.origin != "baseline":
                self._saw(facts)
        scan = announced.scan
        self.progress = ScanProgress(announced.number, scan.looked, announced.expected, scan.done)
        if scan.done:
            self._running = None
            self._finish(announced)

    def _finish(self, announced: Announced) -> None:
        scan, wanted = announced.scan, announced.wanted
        self._take_unreadable(scan)
        if not scan.subtree:
            self.finished_at = self._clock.monotonic()
        if scan.withheld and self._confirm_at is None:
            self._withheld = scan.withheld
            self._confirm_at = self._clock.monotonic() + self._confirm_seconds
        counts = announced.sums.counts()
        lasting = self._lasting()
        lost_meanwhile = any(asked.command is None for asked in self._asked)

        def tell() -> None:
            self._outbox.scan_finished(
                announced.number, wanted.origin, wanted.cause, scan.subtree, total=announced.sums.there,
                counts=counts, unseen=[path for path in self.unreadable if is_inside(path, scan.subtree)],
            )  # fmt: skip
            self._memory.scan_ended(announced.number)
            if wanted.origin == "baseline":
                self._memory.set_baseline()
            for gap in () if lost_meanwhile else announced.healing:
                if gap.cause not in lasting and not (gap.cause == UNMOUNTED and self._mounts.is_lost(gap.subtree)):
                    self._memory.close_gap(gap)
                    self._outbox.gap_closed(gap.cause, gap.subtree, counts)

        self._journal.say(tell)
        if wanted.command is not None:
            self._outcome = scanned(wanted.command, counts)
        for cause in lasting:
            self.open_gap(cause)

    def _take_unreadable(self, scan: Scan) -> None:
        elsewhere = [path for path in self.unreadable if not is_inside(path, scan.subtree)]
        self.unreadable = (*elsewhere, *(error.path for error in scan.unreadable))

    def _lasting(self) -> set[str]:
        """Causes that no scan heals as things stand."""
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
