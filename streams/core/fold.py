"""The library fold: a pure function from state and record to outputs, the same live and on replay.

A record first causes everything that is due by its time, in deadline order, and is then applied itself. Time is lane
time and comes only from the records; nothing else is read. One record may cause very many outputs (a directory with a
million files has moved), so outputs are returned in parts, between which other tasks may run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import assert_never

from msgspec.structs import replace

from schemas.admin import Counters
from schemas.errors import SchemaError
from schemas.media import MediaItem
from schemas.raw import (
    AnalysisRequested,
    AnalysisSteered,
    Corrected,
    Fingerprint,
    GapClosed,
    GapOpen,
    Moved,
    Observed,
    ProducedRecord,
    RawRecord,
    Result,
    RootBack,
    RootDeclared,
    RootLost,
    RootRetired,
    RulesAdopted,
    ScanFinished,
    ScanStarted,
    Tick,
)  # fmt: skip
from schemas.trace import carried
from streams.core import due, intake
from streams.core.catalogue import Catalogue
from streams.core.completion import Completion
from streams.core.decide import Decide
from streams.core.due import Due
from streams.core.emit import Emitter, Output
from streams.core.jobs import Jobs
from streams.core.known import Known
from streams.core.moment import Moment
from streams.core.renames import Renames
from streams.core.requests import Requests
from streams.core.retire import Retire
from streams.core.root_changes import gap_changed, root_changed
from streams.core.roots import Roots
from streams.core.rules import RULES, Rules, UnknownRules
from streams.core.scans import Scans
from streams.core.settle import Settle
from streams.core.sightings import Sightings
from streams.core.state import (
    Ended,
    Hold,
    MovedTree,
    Numbers,
    OpenJob,
    Pending,
    Root,
    RootPath,
    Sighting,
    State,
    Tally,
)
from streams.core.trees import Trees

PART_STEPS = 500
"""Steps (a path decided, moved, gone) after which a part of a record's outputs is returned. Each makes some four
outputs at most, and takes less than 0.2 ms. The number decides nothing: the outputs do not depend on where parts
end."""

NOTHING: tuple[Ended, ...] = ()


class Fold:
    """One lane. `lane`: its partition number; `id_base`: above every id of an earlier life of the log; `state`: the
    state of the same lane from which to continue (`state_bytes.decode`); `carried`: the available rules, by version.
    The rules of the state apply until a record adopts others. Raises UnknownRules if they are not available; then
    nothing has been folded."""

    def __init__(
        self, lane: int, id_base: int = 0, *, state: State | None = None, carried: Mapping[int, Rules] = RULES
    ) -> None:
        self.lane = lane
        self._id_base = id_base
        self._carried = carried
        self.state = state = State() if state is None else state
        rules = carried.get(state.rules_version)
        if rules is None:
            raise UnknownRules(state.rules_version)
        self._emit = Emitter(lane, rules, state.numbers)
        self._compose(rules)

    def _compose(self, rules: Rules) -> None:
        """Make the stages for these rules; stages keep nothing themselves."""
        state, emit = self.state, self._emit
        self.rules = rules
        self._known = known = Known(state, rules)
        self._roots = Roots(state, rules)
        self._settle = settle = Settle(state)
        self._renames = renames = Renames(state, rules, known)
        self._jobs = jobs = Jobs(state, rules, known, emit)
        self._catalogue = catalogue = Catalogue(state, rules, known, jobs, emit, self._id_base)
        self._decide = decide = Decide(state, known, settle, renames, catalogue)
        self._scans = scans = Scans(state, known, renames, emit, self._id_base)
        self._trees = trees = Trees(state, known, settle, renames, decide, catalogue)
        self._sightings = Sightings(state, known, settle, renames, decide, scans, trees, catalogue)
        self._retire = Retire(state, known, settle, renames, decide, trees, emit)
        self._requests = Requests(state, rules, known, jobs, emit, self._id_base)
        self._completion = Completion(state, rules, emit)

    # -- what the shell needs to know --------------------------------------------------------------------------

    @property
    def counters(self) -> Counters:
        """The last `x-n` assigned per topic."""
        return self.state.numbers.counters

    @property
    def counters_before(self) -> Counters:
        """As `counters`, before the record that is being folded."""
        return self._emit.counters_before

    @property
    def now(self) -> int:
        """Lane time, milliseconds."""
        return self.state.clock.now

    @property
    def next_due(self) -> int | None:
        """Lane time at which something is due next; None when nothing is pending."""
        return due.next_due(self.state, self.rules)

    @property
    def dropped(self) -> Counter[str]:
        """Ignored records, by reason."""
        return self.state.dropped

    @property
    def known_paths(self) -> int:
        """How many paths are known."""
        return len(self._known)

    @property
    def open_jobs(self) -> int:
        """How many analysis jobs have no result yet."""
        return len(self.state.jobs)

    @property
    def requested(self) -> int:
        """How many jobs of analyses on request are still to be requested or are open, without requests that are
        held."""
        return self._requests.left

    def read_by(self, rules: Rules) -> Iterator[tuple[MediaItem, MediaItem]]:
        """The difference that these rules would make: each item as it is, and as it would be. Changes nothing."""
        emit, known = Emitter(self.lane, rules, Numbers()), Known(self.state, rules)
        other = Catalogue(self.state, rules, known, Jobs(self.state, rules, known, emit), emit, self._id_base)
        entries = (entry for paths in self.state.known.values() for entry in paths.values() if entry.media_id)
        for entry in entries:
            before, after = self._catalogue.item(entry), other.relinked_item(entry)
            if replace(before, updated_at="") != replace(after, updated_at=""):
                yield before, after

    # -- the function ------------------------------------------------------------------------------------------

    def parts(
        self,
        offset: int,
        append_time: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> Iterator[list[Output]]:
        """Fold a record of the log. Live and past records take this same way, so that they cannot differ. `append_time`
        in milliseconds since 1970; `key`: the library. The record is folded when the iterator has ended; only then may
        the next one begin. Of an invalid record only the time is applied, and its bytes become a dead letter. Raises
        UnknownRules, before anything else, for a record that adopts rules that are not available."""
        try:
            record: RawRecord | SchemaError = intake.read(self.rules, value, headers)
            trace = carried(headers)
        except SchemaError as error:
            record, trace = error, None
        self._know(record)
        return self._parts(offset, append_time, key, value, record, trace)

    def _know(self, record: RawRecord | SchemaError) -> None:
        if not isinstance(record, RulesAdopted) or record.version <= self.state.rules_version:
            return
        if record.version not in self._carried:
            raise UnknownRules(record.version, record.program)

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
        """All parts at once of a record that `intake.read` returned. `trace`: its context."""
        self._know(record)
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
        now = self.state.clock.advance(append_time)
        self._emit.begin(offset, append_time)
        moment = Moment(now, append_time, offset, trace)
        for number, _ in enumerate(self._steps(key, value, record, moment), 1):
            if not number % PART_STEPS:
                yield self._emit.take()
        yield self._emit.take()

    def _steps(
        self, key: bytes | None, value: bytes | None, record: RawRecord | SchemaError, moment: Moment
    ) -> Iterator[None]:
        """Everything that is due by the record's time, in the order of the deadlines, then the record itself."""
        ended: Ended
        while (first := due.take_due(self.state, self.rules, moment.now)) is not None:
            then = Moment(first[0], moment.at, moment.offset, moment.trace)
            if self.state.trees:
                for ended in self._published_first(first[1], then):
                    if ended:
                        self._completion.close(ended, then)
                    yield
            if ended := self._due(first[1], then):
                self._completion.close(ended, then)
            yield
        ended = ()
        if isinstance(record, SchemaError):
            self._emit.dead_letter(key, value, moment.at, record)
            yield from self._catalogue.publish_relinked(moment.trace)
            return
        for one in self._record(record, "" if key is None else key.decode("utf-8", "replace"), moment):
            if one:
                ended = _both(ended, one) if ended else one
            yield
        yield from self._catalogue.publish_relinked(moment.trace)
        for one in self._requests.turns(moment) if self.state.requests else NOTHING:
            if one:
                ended = _both(ended, one) if ended else one
            yield
        if ended:
            self._completion.close(ended, moment)

    def _published_first(self, subject: Due, moment: Moment) -> Iterable[Ended]:
        """Publish the moved directories that must be published before what is due is decided."""
        match subject:
            case MovedTree():
                return self._trees.publish(subject, moment)
            case Pending() | Hold():
                return self._trees.publish_all(self.state.roots[subject.place.root].library, moment)
            case _:
                return NOTHING

    def _due(self, subject: Due, moment: Moment) -> Ended:
        match subject:
            case MovedTree():  # published by now
                return ()
            case Pending():
                if self._settle.hold_on(subject):
                    self._decide.unsettled(subject)
                    return ()
                if self._decide.waits(subject, moment):
                    return ()
                return self._settle.take(subject) + self._decide.settled(subject, moment)
            case Hold():
                return self._decide.expired(subject, moment)
            case Tally():
                self._completion.quiet(subject, moment)
                return ()
            case OpenJob():
                return self._jobs.retry(subject, moment)
            case _:
                assert_never(subject)

    def _record(self, record: RawRecord, library: str, moment: Moment) -> Iterable[Ended]:
        """Apply the record itself, in steps, each with the tallies of which it has ended something."""
        match record:
            case Tick():
                return NOTHING
            case Result():
                ended = self._catalogue.result(record, moment.trace)
                if ended is None:
                    self.state.dropped["outdated_result"] += 1
                    return NOTHING
                return (ended,)
            case RootRetired():
                return self._retire.retired(record, library, moment)
            case RulesAdopted():
                return self._adopted(record, moment)
            case AnalysisRequested():
                return self._requests.requested(record, library, moment)
            case Corrected():
                self._corrected(record, library, moment)
                return NOTHING
            case AnalysisSteered():
                return self._requests.steered(record, library, moment)
            case _:
                return self._of_producer(record, library, moment)

    def _corrected(self, record: Corrected, library: str, moment: Moment) -> None:
        entry = self._known.item(record.media_id, RootPath(record.root, record.path)) if record.media_id else None
        if entry is None or entry.library != library:
            self.state.dropped["unknown_item"] += 1
            return
        self._catalogue.corrected(record, entry, moment.trace)

    def _adopted(self, record: RulesAdopted, moment: Moment) -> Iterable[Ended]:
        if record.version <= self.state.rules_version:
            self.state.dropped["outdated_rules"] += 1
            return NOTHING
        former = self._catalogue
        self.state.rules_version = record.version
        self._emit.adopt(self._carried[record.version])
        self._compose(self._carried[record.version])
        entries = [entry for paths in self.state.known.values() for entry in paths.values()]
        return (self._catalogue.reread(entry, former, moment) for entry in entries)

    def _of_producer(self, record: ProducedRecord, library: str, moment: Moment) -> Iterable[Ended]:
        admitted = self._roots.admit(record, library)
        if admitted is None:
            return NOTHING
        (root, jump), trace = admitted, moment.trace
        if jump is not None:
            gap_changed(self._emit, root, "open", "seq_jump", trace, jump=jump)
        match record:
            case Observed():
                return (self._sightings.observed(root, record, moment),)
            case Moved():
                return self._sightings.moved(root, record, moment)
            case Fingerprint():
                return (self._sightings.fingerprint(root, record, moment),)
            case ScanStarted():
                self._scans.started(root, record, moment)
            case ScanFinished():
                return self._scan_finished(root, record, moment)
            case RootDeclared():
                self._roots.declare(root, record)
                root_changed(self._emit, root, "declared", None, trace)
            case RootLost():
                root.lost = True
                root_changed(self._emit, root, "lost", record.cause, trace)
            case RootBack():
                root.lost = False
                root_changed(self._emit, root, "back", record.cause, trace)
                return self._requests.back(root, moment)
            case GapOpen():
                self._roots.gap_open(root, record)
                gap_changed(self._emit, root, "open", record.cause, trace, subtree=record.subtree)
            case GapClosed():
                self._roots.gap_closed(root, record)
                gap_changed(self._emit, root, "closed", record.cause, trace, subtree=record.subtree,
                            counts=record.counts)  # fmt: skip
            case _:
                assert_never(record)
        return NOTHING

    def _scan_finished(self, root: Root, record: ScanFinished, moment: Moment) -> Iterator[Ended]:
        scan = self._scans.of(root, record.scan)
        id_ = None if scan is None else scan.id
        nothing = Sighting(None, moment.offset, record.origin, record.cause, id_, moment.trace)
        yield from self._trees.publish_all(root.library, moment)
        for place in self._scans.finished(root, record, moment):
            if self._settle.get(place) is not None or self._renames.new_at(place) is not None:
                yield self._sightings.touch(root, place, nothing, moment)
            elif (entry := self._known.get(place)) is not None:
                yield self._decide.gone(entry, nothing, moment)
        if self._scans.heals(root, scan, record):
            root.jumps = 0
            gap_changed(self._emit, root, "closed", "seq_jump", moment.trace)
        if self._scans.is_complete_baseline(scan, record):
            for gap in root.left_gaps:
                gap_changed(self._emit, root, "closed", gap.cause, moment.trace, subtree=gap.subtree)
            root.left_gaps = []
        yield () if id_ is None else (id_,)


def _both(ended: Ended, more: Ended) -> Ended:
    """Each tally once, in the order of the first: a record may end something of the same one a million times."""
    return ended + tuple(id_ for id_ in more if id_ not in ended)
