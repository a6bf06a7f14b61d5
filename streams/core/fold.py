"""The library fold: a pure function from state and record to outputs, the same live and on replay.

A record first does everything that is due by its time, in deadline order, and then its own. Time is lane time and
comes from the records alone; nothing else is read. One record may do a great deal (a directory with a million
files has moved), so its outputs come in parts, between which others may run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from msgspec.structs import replace

from schemas.admin import Counters
from schemas.errors import SchemaError
from schemas.paths import from_wire, is_inside
from schemas.raw import (
    Fingerprint,
    GapClosed,
    GapOpen,
    Moved,
    Observed,
    RawRecord,
    Result,
    RootBack,
    RootDeclared,
    RootLost,
    ScanFinished,
    ScanStarted,
    Tick,
)  # fmt: skip
from schemas.trace import carried
from streams.core import intake
from streams.core.catalogue import Catalogue
from streams.core.clock import LaneClock
from streams.core.deadlines import Deadlines
from streams.core.decide import Decide, Moment
from streams.core.emit import Emitter, Output
from streams.core.known import Known, Place
from streams.core.renames import Hold, Renames
from streams.core.root_changes import gap_changed, root_changed
from streams.core.roots import Root, Roots
from streams.core.scans import Scans
from streams.core.settle import Pending, Settle, Sighting, same_sight
from streams.core.tally import Tally
from streams.core.trees import Trees

VERSION = 1
"""Version of everything that decides outputs: rules, windows, names, encodings. Replay equals live per version."""

PART_STEPS = 500
"""Steps (a path decided, moved, gone) after which a part of a record's outputs is given out. Each makes some four
outputs at most, and takes less than 0.2 ms. It decides nothing: where parts end is not in the outputs."""

BATCH_QUIET_MS = 2_000
"""A batch of jobs outside scans has ended when none was open for this long, in lane time."""

Due = Pending | Hold | Tally


class Fold:
    """One lane. `lane`: its partition number; `id_base`: above every id of an earlier life of the log."""

    def __init__(self, lane: int, id_base: int = 0) -> None:
        self.lane = lane
        self._clock = LaneClock()
        self._deadlines: Deadlines[Due] = Deadlines()
        self._emit = Emitter(lane, VERSION)
        self._known = Known()
        self._roots = Roots()
        self._ended: list[Tally] = []
        self._settle = Settle(self._deadlines, self._ended)  # type: ignore[arg-type]
        self._renames = Renames(self._known, self._deadlines, self._ended)  # type: ignore[arg-type]
        self._catalogue = Catalogue(self._known, self._emit, self._ended, id_base)
        self._decide = Decide(self._known, self._roots, self._settle, self._renames, self._catalogue)
        self._scans = Scans(self._known, self._settle, self._renames, self._catalogue, self._emit, id_base)
        self._trees = Trees(self._known, self._settle, self._renames, self._decide, self._catalogue)
        self._at = 0
        self._trace: bytes | None = None

    # -- what the shell needs to know --------------------------------------------------------------------------

    @property
    def counters(self) -> Counters:
        """The last `x-n` given out per topic."""
        return self._emit.counters

    @property
    def counters_before(self) -> Counters:
        """As `counters`, when the record that is being folded began."""
        return self._emit.counters_before

    @property
    def now(self) -> int:
        """Lane time, milliseconds."""
        return self._clock.now

    @property
    def next_due(self) -> int | None:
        """Lane time at which something is due next; None when nothing is pending."""
        due = self._deadlines.next_at
        job = self._catalogue.next_at
        if due is None or job is None:
            return job if due is None else due
        return min(due, job)

    @property
    def dropped(self) -> Counter[str]:
        """Records that did not count, by reason."""
        return self._roots.dropped

    @property
    def known_paths(self) -> int:
        """How many paths are known."""
        return len(self._known)

    @property
    def open_jobs(self) -> int:
        """How many analysis jobs have no result yet."""
        return self._catalogue.open_jobs

    # -- the function ------------------------------------------------------------------------------------------

    def parts(
        self,
        offset: int,
        append_time: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> Iterator[list[Output]]:
        """Fold a record as it stands in the log: the one way in for live and past, so that they cannot differ.
        `append_time` in milliseconds since 1970; `key`: the library. The record is folded when the iterator has
        ended, and the next one may begin then only. What is no record has its time counted, and its bytes become a
        dead letter."""
        try:
            record: RawRecord | SchemaError = intake.read(value, headers)
            trace = carried(headers)
        except SchemaError as error:
            record, trace = error, None
        return self._parts(offset, append_time, key, value, record, trace)

    def apply_bytes(
        self,
        offset: int,
        append_time: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> list[Output]:
        """All parts of a record at once."""
        return [o for part in self.parts(offset, append_time, key, value, headers) for o in part]

    def apply(
        self, offset: int, append_time: int, key: bytes | None, record: RawRecord, trace: bytes | None = None
    ) -> list[Output]:
        """All parts of a decoded record at once. `trace`: its context."""
        return [o for part in self._parts(offset, append_time, key, None, record, trace) for o in part]

    def _parts(
        self,
        offset: int,
        append_time: int,
        key: bytes | None,
        value: bytes | None,
        record: RawRecord | SchemaError,
        trace: bytes | None,
    ) -> Iterator[list[Output]]:
        now = self._clock.advance(append_time)
        self._at = append_time
        self._trace = trace
        self._emit.begin(offset, append_time, trace)
        steps = 0
        while True:
            job_at = self._catalogue.next_at
            due_at = self._deadlines.next_at
            if job_at is not None and job_at <= now and (due_at is None or job_at < due_at):
                self._catalogue.ask_again(self._roots.of(self._catalogue.oldest_root).site, job_at)
                self._close_ended(job_at)
            elif due_at is not None and due_at <= now:
                self._due(self._deadlines.pop(), Moment(due_at, append_time))
                self._close_ended(due_at)
            else:
                break
            steps += 1
            if not steps % PART_STEPS:
                yield self._emit.take()
        if isinstance(record, SchemaError):
            self._emit.dead_letter(key, value, append_time, record)
        else:
            for _step in self._record(offset, "" if key is None else key.decode("utf-8", "replace"), record):
                steps += 1
                if not steps % PART_STEPS:
                    yield self._emit.take()
        self._close_ended(now)
        yield self._emit.take()

    def _due(self, subject: Due, moment: Moment) -> None:
        match subject:
            case Pending():
                if self._settle.due(subject) == "settled":
                    self._decide.settled(subject, moment)
                else:
                    self._decide.unsettled(subject)
            case Hold():
                self._decide.expired(subject, moment)
            case Tally():
                self._batch_quiet(subject, moment.now)
            case _:
                assert_never(subject)

    def _record(self, offset: int, library: str, record: RawRecord) -> Iterable[None]:
        """What the record itself says; what it returns are the steps of what may be long."""
        match record:
            case Tick():
                return ()
            case Result():
                self._result(record)
                return ()
            case _:
                admitted = self._roots.admit(record, library)
        if admitted is None:
            return ()
        root, jump = admitted
        if jump is not None:
            gap_changed(self._emit, root, "open", "seq_jump", jump=jump)
        match record:
            case Observed():
                self._observed(root, offset, record)
            case Moved():
                return self._moved(root, offset, record)
            case Fingerprint():
                self._fingerprint(root, record)
            case RootDeclared():
                self._roots.declare(root, record)
                root_changed(self._emit, root, "declared", None)
            case RootLost():
                root_changed(self._emit, root, "lost", record.cause)
            case RootBack():
                root_changed(self._emit, root, "back", record.cause)
            case GapOpen():
                subtree = from_wire(record.subtree, record.subtree_b64)
                gap_changed(self._emit, root, "open", record.cause, subtree=subtree)
            case GapClosed():
                subtree = from_wire(record.subtree, record.subtree_b64)
                gap_changed(self._emit, root, "closed", record.cause, subtree=subtree, counts=record.counts)
            case ScanStarted():
                self._scans.started(root, record, offset)
            case ScanFinished():
                return self._scan_finished(root, offset, record)
            case _:
                assert_never(record)
        return ()

    # -- observations ------------------------------------------------------------------------------------------

    def _observed(self, root: Root, offset: int, record: Observed) -> None:
        place = Place(root.name, from_wire(record.path, record.path_b64))
        tally = None if record.scan is None else root.scans.get(record.scan)
        if tally is not None and record.file is not None:
            tally.arrived += 1
        seen = Sighting(record.file, offset, record.origin, record.cause, tally, self._trace)
        self._touch(root, place, seen)

    def _touch(self, root: Root, place: Place, seen: Sighting) -> None:
        if seen.state is not None:
            self._mark_seen(root, place.path)
        if self._settle.get(place) is not None or self._decide.news(place, seen.state):
            self._settle.touch(place, seen, self._clock.now, root.windows)

    def _moved(self, root: Root, offset: int, record: Moved) -> Iterable[None]:
        source = Place(root.name, from_wire(record.from_path, record.from_path_b64))
        target = Place(root.name, from_wire(record.path, record.path_b64))
        tally = None if record.scan is None else root.scans.get(record.scan)
        if tally is not None:
            tally.arrived += 1
        seen = Sighting(record.file, offset, record.origin, record.cause, tally, self._trace)
        if source == target:
            self._touch(root, target, seen)
        elif record.file.type == "dir":
            return self._moved_tree(root, source, target, seen)
        else:
            self._moved_file(root, source, target, seen)
        return ()

    def _moved_file(self, root: Root, source: Place, target: Place, seen: Sighting) -> None:
        before, entry = self._settle.get(source), self._known.get(source)
        fingerprint = None
        if entry is not None and entry.mover is not None:
            entry = None  # it has left already; what was moved now came after it
        if before is not None:
            entry = before.carries or entry
            fingerprint = before.fingerprint if same_sight(before.state, seen.state) else None
        self._touch(root, source, replace(seen, state=None))
        self._mark_seen(root, target.path)
        pending = self._settle.touch(target, seen, self._clock.now, root.windows)
        pending.fingerprint = pending.fingerprint or fingerprint
        if entry is None or entry.place == target:
            pending.untie()
        else:
            pending.tie(entry)

    def _moved_tree(self, root: Root, source: Place, target: Place, seen: Sighting) -> Iterator[None]:
        met = root.baseline and root.baseline.seen
        for path in [path for path in met or () if is_inside(path, source.path)]:
            self._mark_seen(root, target.path + path[len(source.path) :])
        self._mark_seen(root, target.path)
        moment = Moment(self._clock.now, self._at)
        known = yield from self._trees.moved(root, source.path, target.path, seen, moment)
        if not known:
            self._touch(root, target, seen)

    @staticmethod
    def _mark_seen(root: Root, path: str) -> None:
        if root.baseline is not None and root.baseline.seen is not None:
            root.baseline.seen.add(path)

    def _fingerprint(self, root: Root, record: Fingerprint) -> None:
        place = Place(root.name, from_wire(record.path, record.path_b64))
        of = (record.size, record.mtime_ns, record.inode)
        pending = self._settle.get(place)
        if pending is not None:
            state = pending.state
            if state is not None and state.type == "file" and (state.size, state.mtime_ns, state.inode) == of:
                pending.fingerprint = record.xxh3
            return
        hold = self._renames.new_at(place)
        if hold is not None:
            if (state := hold.seen.state) is not None and (state.size, state.mtime_ns, state.inode) == of:
                self._renames.fingerprinted(hold, record.xxh3)
            return
        entry = self._known.get(place)
        if entry is not None and entry.media_id and (entry.size, entry.mtime_ns, entry.inode) == of:
            self._known.set_fingerprint(entry, record.xxh3)

    # -- scans, jobs, roots ------------------------------------------------------------------------------------

    def _scan_finished(self, root: Root, offset: int, record: ScanFinished) -> Iterator[None]:
        tally = root.scans.get(record.scan)
        moment = Moment(self._clock.now, self._at)
        nothing = Sighting(None, offset, record.origin, record.cause, tally, self._trace)
        for place in self._scans.finished(root, record, moment.now):
            if self._settle.get(place) is not None or self._renames.new_at(place) is not None:
                self._touch(root, place, nothing)
            elif (entry := self._known.get(place)) is not None:
                self._decide.gone(entry, nothing, moment)
            yield
        if self._scans.heals(root, tally, record):
            root.jumps = 0
            gap_changed(self._emit, root, "closed", "seq_jump")
        self._close(tally, moment.now)

    def _result(self, record: Result) -> None:
        if not self._catalogue.result(record):
            self._roots.dropped["outdated_result"] += 1

    def _close_ended(self, now: int) -> None:
        if self._ended:
            ended = self._ended.copy()
            self._ended.clear()
            for tally in ended:
                self._close(tally, now)

    def _close(self, tally: Tally | None, now: int) -> None:
        """Something of an account was decided: a scan may be complete, a batch may have gone quiet."""
        if tally is None or not (tally := tally.live).complete:
            return
        root = self._roots.of(tally.root)
        if tally.scan_id is not None:
            self._scans.close(root, tally, now)
        elif not tally.processed:
            root.batch = None
        elif tally.deadline is None:
            self._deadlines.set(tally, now + BATCH_QUIET_MS)
        else:
            tally.deadline = now + BATCH_QUIET_MS

    def _batch_quiet(self, tally: Tally, now: int) -> None:
        tally.deadline = None
        root = self._roots.of(tally.root)
        if tally.complete and root.batch is tally:
            root.batch = None
            self._catalogue.complete(tally, now)
