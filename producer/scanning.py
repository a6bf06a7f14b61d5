"""Which scan runs, and what is told of it.

Scans of the whole root are announced, numbered, and single: one that is asked for while another runs makes the
root be scanned once more afterwards. New and moved-in directories are scanned first and unannounced. A whole scan
heals the gaps that were open when it began."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from producer.backends.interface import Tree, Watch
from producer.core.facts import Fact
from producer.core.filters import Filters
from producer.index import Index
from producer.journal import Journal, Written
from producer.memory import Gap, Memory
from producer.outbox import LIVE, Outbox, Via
from producer.ports import Clock
from producer.scanner import Scan
from schemas.raw import Origin

CONFIRM_SECONDS = 60.0
"""Between a scan that found suspiciously much gone and the one that may believe it."""

MASS_DELETION = "mass_deletion"
WATCH_LIMIT = "watch_limit"
WATCH_UNAVAILABLE = "watch_unavailable"


@dataclass(frozen=True, slots=True)
class Asked:
    """A scan of the whole root is wanted."""

    origin: Origin
    cause: str


@dataclass(slots=True)
class Whole:
    """The announced scan that runs. `healing`: the gaps open when it began."""

    scan: Scan
    asked: Asked
    number: int
    healing: list[Gap]
    total: Written


@dataclass(frozen=True, slots=True)
class Progress:
    """Of the announced scan."""

    number: int
    looked: int
    finished: bool


class Scanning:
    """The scans of one root. `verify` is given facts before they are written and raises when the root is not
    what it should be."""

    def __init__(
        self, journal: Journal, index: Index, outbox: Outbox, memory: Memory, filters: Filters, clock: Clock,
        *, verify: Callable[[Sequence[Fact]], None], confirm_seconds: float = CONFIRM_SECONDS,
    ) -> None:  # fmt: skip
        self._journal = journal
        self._index = index
        self._outbox = outbox
        self._memory = memory
        self._filters = filters
        self._clock = clock
        self._verify = verify
        self._confirm_seconds = confirm_seconds
        self._watch: Watch | None = None
        self._asked: Asked | None = None
        self._whole: Whole | None = None
        self._small: deque[Scan] = deque()
        self._withheld: frozenset[str] = frozenset()
        self._confirm_at: float | None = None
        self.finished_at: float | None = None
        self.unreadable: tuple[str, ...] = ()
        self.progress: Progress | None = None

    @property
    def is_busy(self) -> bool:
        """True while there is something to scan."""
        return bool(self._small) or self._whole is not None or self._asked is not None

    @property
    def is_whole(self) -> bool:
        """True while the whole root is being scanned, or is about to be."""
        return self._whole is not None or self._asked is not None

    @property
    def confirm_at(self) -> float | None:
        """When the scan is due that may believe what an earlier one withheld."""
        return self._confirm_at

    def arm(self, watch: Watch | None) -> None:
        """Scans add their directories to this watch from here on."""
        self._watch = watch

    def ask(self, origin: Origin, cause: str) -> None:
        """Scan the whole root, now or when the present scan is done."""
        if self._asked is None:
            self._asked = Asked(origin, cause)

    def open(self, directories: Sequence[str]) -> None:
        """Scan directories that are new at their place. While a baseline runs, what is below them is said whether
        known or not: the baseline's end takes what it has not heard of for gone."""
        resend = self._whole is not None and self._whole.scan.resend
        self._small.extend(self._scan(subtree=path, resend=resend) for path in directories)

    def abandon(self) -> None:
        """Forget all scans: the root is lost, or is going to be scanned from the beginning."""
        self._asked = self._whole = self.progress = None
        self._small.clear()

    def tick(self, now: float) -> None:
        """Ask for the confirming scan when it is due."""
        if self._confirm_at is not None and now >= self._confirm_at and not self.is_whole:
            self.ask("scan", MASS_DELETION)

    def step(self, tree: Tree) -> None:
        """Go on with whatever is to be scanned. Raises what `verify` raises, and sqlite3.Error."""
        if self._small:
            self._step_small(tree)
        elif self._whole is not None:
            self._step_whole(tree, self._whole)
        elif self._asked is not None:
            self._begin(self._asked)
            self._asked = None

    def open_gap(self, cause: str) -> None:
        """Tell of a gap, unless the same is open already."""
        if any(gap.cause == cause for gap in self._memory.gaps()):
            return

        def tell() -> None:
            self._memory.open_gap(cause)
            self._outbox.gap_open(cause)

        self._journal.say(tell)

    def _scan(self, *, subtree: str = "", resend: bool = False, confirmed: frozenset[str] = frozenset()) -> Scan:
        return Scan(
            self._index, self._filters, self._watch, self._clock,
            subtree=subtree, resend=resend, confirmed=confirmed,
        )  # fmt: skip

    def _step_small(self, tree: Tree) -> None:
        scan = self._small[0]
        facts = scan.step(tree)
        self._verify(facts)
        self._journal.write(facts, LIVE, resend=scan.resend)
        if scan.done:
            self._small.popleft()
            if self._whole is not None:
                self._whole.scan.unreadable += scan.unreadable

    def _begin(self, asked: Asked) -> None:
        if not self._memory.has_baseline:
            asked = Asked("baseline", asked.cause)
        confirmed: frozenset[str] = frozenset()
        if self._confirm_at is not None and self._clock.monotonic() >= self._confirm_at:
            confirmed, self._withheld, self._confirm_at = self._withheld, frozenset(), None
        healing = self._memory.gaps()
        numbers: list[int] = []

        def tell() -> None:
            numbers.append(self._memory.take_scan_number())
            self._outbox.scan_started(numbers[0], asked.origin, asked.cause)

        self._journal.say(tell)
        scan = self._scan(resend=asked.origin == "baseline", confirmed=confirmed)
        self._whole = Whole(scan, asked, numbers[0], healing, Written())
        self.progress = Progress(numbers[0], 0, False)

    def _step_whole(self, tree: Tree, whole: Whole) -> None:
        facts = whole.scan.step(tree)
        self._verify(facts)
        if facts:
            via = Via(whole.asked.origin, whole.number, whole.asked.cause)
            whole.total.add(self._journal.write(facts, via, resend=whole.scan.resend))
        self.progress = Progress(whole.number, whole.scan.looked, whole.scan.done)
        if whole.scan.done:
            self._whole = None
            self._finish(whole)

    def _finish(self, whole: Whole) -> None:
        self.finished_at = self._clock.monotonic()
        self.unreadable = tuple(error.path for error in whole.scan.unreadable)
        if whole.scan.withheld and self._confirm_at is None:
            self._withheld = whole.scan.withheld
            self._confirm_at = self.finished_at + self._confirm_seconds
        counts = whole.total.counts()
        lasting = self._lasting()

        def tell() -> None:
            self._outbox.scan_finished(
                whole.number, whole.asked.origin, whole.asked.cause, total=whole.total.there, counts=counts,
                unseen=self.unreadable,
            )  # fmt: skip
            if whole.asked.origin == "baseline":
                self._memory.set_baseline()
            for gap in () if self._asked is not None else whole.healing:  # more was lost while it ran
                if gap.cause not in lasting:
                    self._memory.close_gap(gap)
                    self._outbox.gap_closed(gap.cause, counts)

        self._journal.say(tell)
        for cause in lasting:
            self.open_gap(cause)

    def _lasting(self) -> set[str]:
        """Causes that this scan has not healed."""
        lasting = set()
        if self._confirm_at is not None:
            lasting.add(MASS_DELETION)
        if self._watch is None:
            lasting.add(WATCH_UNAVAILABLE)
        elif self._watch.coverage.unwatched:
            lasting.add(WATCH_LIMIT)
        return lasting
