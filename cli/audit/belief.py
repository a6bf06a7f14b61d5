"""The state of a lane according to its log: which records count, and what is at each path. Pure.

The rules are those of `docs/records.md`: a declaration adopts an outbox, a sequence number that does not rise is a
repetition, an observation gives what is at a path, a move includes everything below, and after a complete baseline nothing
remains that it has not found. The fold implements the same rules in separate code; nothing is debounced here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from cli.audit.announced import AnnouncedGap, Gaps
from cli.audit.believed_tree import BelievedTree
from cli.audit.contiguity import Contiguity
from cli.audit.findings import GapFound, Hole, NoRecord, Repeated
from schemas.errors import SchemaError
from schemas.identity import same_root
from schemas.log_record import LogRecord
from schemas.paths import is_inside
from schemas.raw import (
    Fingerprint,
    GapClosed,
    GapOpen,
    Moved,
    Observed,
    ProducedRecord,
    ProducerRecord,
    RawRecord,
    RootBack,
    RootDeclared,
    RootIdentity,
    RootLost,
    RootRetired,
    ScanFinished,
    ScanStarted,
)
from streams.core import intake
from streams.core.rules import NEWEST, RULES


@dataclass(slots=True)
class OpenScan:
    """A scan that has begun. `begun`: offset of its first record; `arrived`: how many of its records report something
    present; `jumps`: the root's count when the scan began."""

    number: int
    subtree: str
    begun: int
    jumps: int
    arrived: int = 0


@dataclass(slots=True)
class RootBelief:
    """One root. `term`: of the claim under which it was declared; `tree`: None if its paths are not needed; `lost`: why it
    cannot be observed, and since which offset; `baseline`: the open baseline scan; `jumps`: how often sequence numbers were
    skipped; `retired`: an operator removed it from the catalogue."""

    library: str
    tree: BelievedTree | None
    epoch: str = ""
    term: int = 0
    last_seq: int = 0
    former: dict[str, int] = field(default_factory=dict)
    jumps: int = 0
    identity: RootIdentity | None = None
    same_identity: bool = True
    settle_ms: int = 0
    lost: tuple[str, int] | None = None
    retired: bool = False
    gaps: Gaps = field(default_factory=Gaps)
    scans: dict[int, OpenScan] = field(default_factory=dict)
    baseline: OpenScan | None = None
    baselines: int = 0


class LaneBelief:
    """The state of one lane. `wanted`: roots whose paths are kept."""

    def __init__(self, partition: int, wanted: Collection[str]) -> None:
        self.partition = partition
        self.roots: dict[str, RootBelief] = {}
        self.dropped: Counter[str] = Counter()
        self.records = 0
        self._wanted = frozenset(wanted)
        self._contiguity = Contiguity()
        self._unreadable: list[NoRecord] = []

    def read(self, log: LogRecord) -> None:
        """Process the next record of the log."""
        self.records += 1
        try:
            record = intake.read(RULES[NEWEST], log.value, log.headers)
        except SchemaError as error:
            self._unreadable.append(
                NoRecord(severity="note", root="", why=str(error), partition=log.partition, offset=log.offset)
            )
            return
        self._take(record, log)

    def findings(self) -> Iterator[Hole | Repeated | NoRecord | GapFound]:
        """Findings from the log alone."""
        yield from self._unreadable
        yield from self._contiguity.findings()
        for name, root in sorted(self.roots.items()):
            yield from root.gaps.findings(name, self.partition)

    def _take(self, record: RawRecord, log: LogRecord) -> None:
        library = (log.key or b"").decode("utf-8", "replace")
        if isinstance(record, RootRetired):
            self._retire(record, library, log)
        elif isinstance(record, ProducerRecord):
            self._contiguity.count(
                record.root, record.epoch, record.seq, log.partition, log.offset, log.value or b""
            )
            root = self._admit(record, library, log)
            if root is not None:
                self._of_root(root, record, log)

    # -- which records count -----------------------------------------------------------------------------------

    def _admit(self, record: ProducerRecord, library: str, log: LogRecord) -> RootBelief | None:
        root = self.roots.get(record.root)
        if isinstance(record, RootDeclared):
            if record.library != library or (root is not None and root.library != library):
                return self._dropped("other_library")
            if root is None or root.epoch != record.epoch:
                if root is not None and record.term < root.term:
                    return self._dropped("other_epoch")
                root = self._adopt(root, record)
            root.term = max(root.term, record.term)
        if root is None or root.library != library:
            return self._dropped("undeclared_root")
        if root.epoch != record.epoch:
            return self._dropped("other_epoch")
        if record.seq <= root.last_seq:
            return self._dropped("resent")
        root.jumps += record.seq > root.last_seq + 1
        root.last_seq = record.seq
        return root

    def _dropped(self, why: str) -> RootBelief | None:
        self.dropped[why] += 1
        return None

    def _adopt(self, root: RootBelief | None, record: RootDeclared) -> RootBelief:
        if root is None:
            root = self.roots[record.root] = RootBelief(
                record.library, BelievedTree() if record.root in self._wanted else None
            )
        elif record.seq <= root.former.get(record.epoch, 0):
            return root
        else:
            root.former |= {root.epoch: root.last_seq} if root.epoch else {}
            root.same_identity = root.identity is None or (
                record.identity is not None and same_root(root.identity, record.identity)
            )
        root.epoch, root.last_seq, root.retired = record.epoch, root.former.pop(record.epoch, 0), False
        root.scans, root.baseline = {}, None
        return root

    def _retire(self, record: RootRetired, library: str, log: LogRecord) -> None:
        root = self.roots.get(record.root)
        if root is None or root.library != library:
            self._dropped("undeclared_root")
            return
        root.former |= {root.epoch: root.last_seq} if root.epoch else {}
        root.epoch, root.last_seq, root.jumps, root.retired, root.lost = "", 0, 0, True, None
        root.scans, root.baseline = {}, None
        root.gaps.end_all("retired", log.offset, log.timestamp)
        self._contiguity.heal(record.root, log.offset, log.offset)
        if root.tree is not None:
            root.tree.clear()

    # -- what they report --------------------------------------------------------------------------------------

    def _of_root(self, root: RootBelief, record: ProducedRecord, log: LogRecord) -> None:
        match record:
            case Observed() | Moved():
                self._seen(root, record, log)
            case Fingerprint():
                pass
            case RootDeclared():
                root.identity = record.identity or root.identity
                root.settle_ms = max(record.debounce_ms, 0) + max(record.rename_window_ms, 0)
            case RootLost():
                root.lost = record.cause, log.offset
            case RootBack():
                root.lost = None
            case GapOpen():
                root.gaps.open(AnnouncedGap(record.epoch, record.cause, record.subtree, log.offset, log.timestamp))
            case GapClosed():
                root.gaps.close(record.cause, record.subtree, log.offset, log.timestamp, record.counts)
            case ScanStarted():
                self._scan_started(root, record, log.offset)
            case ScanFinished():
                self._scan_finished(root, record, log)

    def _seen(self, root: RootBelief, record: Observed | Moved, log: LogRecord) -> None:
        scan = None if record.scan is None else root.scans.get(record.scan)
        if scan is not None and record.file is not None:
            scan.arrived += 1
        tree = root.tree
        if tree is None:
            return
        if record.file is None:
            tree.remove(record.path)
            return
        if isinstance(record, Moved) and record.from_path != record.path:
            if record.file.type == "dir":
                tree.move(record.from_path, record.path)
            else:
                tree.remove(record.from_path)
        tree.put(record.path, record.file, log.offset, log.timestamp, root.baselines if root.baseline else 0)

    def _scan_started(self, root: RootBelief, record: ScanStarted, offset: int) -> None:
        for number, other in list(root.scans.items()):
            if number == record.scan or is_inside(other.subtree, record.subtree):
                del root.scans[number]
                if root.baseline is other:
                    root.baseline = None
        scan = root.scans[record.scan] = OpenScan(record.scan, record.subtree, offset, root.jumps)
        if record.origin == "baseline":
            root.baseline = scan
            root.baselines += 1

    def _scan_finished(self, root: RootBelief, record: ScanFinished, log: LogRecord) -> None:
        scan = root.scans.pop(record.scan, None)
        if scan is None:
            return
        is_baseline = scan is root.baseline
        root.baseline = None if is_baseline else root.baseline
        if not is_baseline or scan.arrived != record.total:
            return
        unseen = [path.path for path in record.unseen]
        if root.tree is not None and root.same_identity:
            _forget_missing(root.tree, scan.subtree, root.baselines, unseen)
        if not scan.subtree:
            root.gaps.end_all("baseline", log.offset, log.timestamp, but=root.epoch)
            if not unseen and scan.jumps == root.jumps:
                self._contiguity.heal(record.root, scan.begun, log.offset)


def _forget_missing(tree: BelievedTree, subtree: str, baseline: int, unseen: Collection[str]) -> None:
    """Remove what a complete baseline has not found, except below directories that it could not read."""
    missing = [
        path
        for path, node in tree.walk(subtree)
        if node.seen != baseline and not any(is_inside(path, place) for place in unseen)
    ]
    for path in missing:
        tree.remove(path)
