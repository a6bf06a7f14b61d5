"""Analysis on request: which item is next, and how many jobs are open at once.

A request is a cursor over the items by media id, whatever their number. At the end of each record items are processed as
long as the window has room for jobs (`Rules.request_window`, for all requests of the lane together), and each job that ends
makes room for the next. Whether an item matches is decided when it is processed. The request that is furthest behind goes
first, so that overlapping requests process their common items together and request each job once. The job of a file that
has changed does not count here: it is requested at once, outside the window.

No job is started in a root that is lost or paused, because every file there would be unreadable, nor in a library that an
operator has paused. Requests continue when that is over. Files found unreadable are requested by the fold itself when their
root is back, once each time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from schemas.found import MediaType
from schemas.ids import request_id
from schemas.paths import is_inside
from schemas.raw import AnalysisRequested, AnalysisSteered, Standing
from streams.core.emit import Emitter
from streams.core.jobs import Jobs
from streams.core.known import Known
from streams.core.moment import Moment
from streams.core.request_changes import RequestState, request_changed
from streams.core.rules import Rules
from streams.core.state import BY_ID, Ended, Entry, Request, Root, State, TallyId
from streams.core.tally import opened

NOTHING: tuple[Ended, ...] = ()
PAUSED = "paused"
"""Cause of the gap while an operator has paused a root (`producer.memory`)."""
BACK = "root_back"
"""Reason of the requests that the fold makes by itself."""
REPORTS = 100
"""How often the progress of a request is published at most."""

_NO_TALLY = TallyId(0)


class Requests:
    """The requests of a lane."""

    def __init__(self, state: State, rules: Rules, known: Known, jobs: Jobs, emit: Emitter, id_base: int) -> None:
        self._state = state
        self._requests = state.requests
        self._rules = rules
        self._known = known
        self._jobs = jobs
        self._emit = emit
        self._id_base = id_base

    # -- records -----------------------------------------------------------------------------------------------

    def requested(self, record: AnalysisRequested, library: str, moment: Moment) -> Iterable[Ended]:
        """Begin a request. A root that is not of this library, or is not in the catalogue, is ignored; the same request
        in progress is not begun again."""
        root = self._state.roots.get(record.root)
        if root is None or root.library != library or not root.epoch:
            self._state.dropped["undeclared_root"] += 1
            return NOTHING
        request = self._new(
            root, record.reason, record.by, moment, record.subtree, record.media_types, record.statuses
        )
        for other in self._under_way():
            if _wants(other) == _wants(request):
                self._state.dropped["repeated_request"] += 1
                self._report(other, "repeated", moment)
                return NOTHING
        return self._begun(request, moment)

    def back(self, root: Root, moment: Moment) -> Iterator[Ended]:
        """A root can be read again: request the analysis of its unreadable files, all of them again if that was in
        progress."""
        for entry in self._state.known.get(root.name, {}).values():
            if entry.analysis is not None and entry.analysis.status == "unreadable":
                break
            yield ()
        else:
            return
        for other in self._under_way():
            if other.root == root.name and (other.reason, other.by) == (BACK, ""):
                yield self._cancelled(other)
        yield from self._begun(self._new(root, BACK, "", moment, statuses=("unreadable",)), moment)

    def steered(self, record: AnalysisSteered, library: str, moment: Moment) -> Iterable[Ended]:
        """Pause, resume or cancel requests."""
        if all(root.library != library for root in self._state.roots.values()):
            self._state.dropped["undeclared_library"] += 1
            return NOTHING
        concerned = [request for request in self._under_way() if request.library == library]
        match record.action:
            case "pause":
                self._state.held.add(library)
                self._report_all(concerned, "paused", moment)
            case "resume":
                self._report_all(concerned if library in self._state.held else (), "resumed", moment)
                self._state.held.discard(library)
            case "cancel":
                left = [r for r in concerned if record.request in (None, r.id)]
                return [self._cancelled(request) for request in left]
        return NOTHING

    # -- jobs --------------------------------------------------------------------------------------------------

    @property
    def left(self) -> int:
        """How many jobs are still to be requested, as matched when each request began, or are open; without waiting
        requests."""
        waiting = {request.id for request in self._under_way()} - {request.id for request in self._ready()}
        return sum(
            self._state.tallies[request.tally].open_jobs
            + (max(0, request.matched - request.asked) if self._is_under_way(request) else 0)
            for request in self._requests.values()
            if request.id not in waiting
        )

    def turns(self, moment: Moment) -> Iterator[Ended]:
        """Process items up to the first for whose job there is no room. One item per step."""
        for request in self._requests.values():
            self._report_progress(request, moment)
        ready = self._ready()
        if not ready:
            return
        room = self._room()
        items = self._known.by_age()
        for at in range(bisect_right(items, min(request.cursor for request in ready), key=BY_ID), len(items)):
            entry = items[at]
            turn = [r for r in ready if r.cursor < entry.media_id < r.id] if self._known.is_known(entry) else []
            wanting = next((request for request in turn if self._matches(request, entry)), None)
            if wanting is not None:
                if room <= 0:
                    return
                room -= 1
                self._request_job(wanting, entry, moment)
            for request in turn:
                request.cursor = entry.media_id
            yield ()
        yield tuple(self._passed(request) for request in ready)

    def _room(self) -> int:
        open_jobs = sum(self._state.tallies[request.tally].open_jobs for request in self._requests.values())
        return self._rules.request_window - open_jobs

    def _request_job(self, request: Request, entry: Entry, moment: Moment) -> None:
        request.asked += 1
        root = self._state.roots[entry.root]
        self._jobs.request(root, entry, request.tally, moment.now, moment.trace)

    def _matches(self, request: Request, entry: Entry) -> bool:
        """Whether an item matches. One whose job is open does not: it is being analysed anyway."""
        if entry.root != request.root or entry.job is not None or not is_inside(entry.path, request.subtree):
            return False
        if request.statuses and _standing(entry) not in request.statuses:
            return False
        media_type = self._jobs.media_type(entry)
        return media_type is not None and (not request.media_types or media_type in request.media_types)

    # -- one request -------------------------------------------------------------------------------------------

    def _new(
        self, root: Root, reason: str, by: str, moment: Moment, subtree: str = "",
        media_types: tuple[MediaType, ...] = (), statuses: tuple[Standing, ...] = (),
    ) -> Request:  # fmt: skip
        id_ = request_id(self._emit.lane, moment.offset, self._id_base)
        types = tuple(sorted(set(media_types)))
        return Request(
            id_, root.library, root.name, subtree, types, tuple(sorted(set(statuses))), reason, by, _NO_TALLY
        )

    def _begun(self, request: Request, moment: Moment) -> Iterator[Ended]:
        for entry in self._known.by_age():
            request.matched += self._known.is_known(entry) and self._matches(request, entry)
            yield ()
        tally = opened(self._state, request.library, request.root)
        tally.request, tally.finished, request.tally = request.id, False, tally.id
        self._requests[request.id] = request
        self._report(request, "started", moment)

    def _under_way(self) -> list[Request]:
        return [request for request in self._requests.values() if self._is_under_way(request)]

    def _is_under_way(self, request: Request) -> bool:
        return not self._state.tallies[request.tally].finished

    def _ready(self) -> list[Request]:
        """The requests that may continue now."""
        return [request for request in self._under_way() if not self._waits(request)]

    def _waits(self, request: Request) -> bool:
        root = self._state.roots[request.root]
        away = bool(root.epoch) and (root.lost or any(gap.cause == PAUSED for gap in root.gaps))
        return away or request.library in self._state.held

    def _passed(self, request: Request) -> TallyId:
        """All items of the request have been processed."""
        self._state.tallies[request.tally].finished = True
        return request.tally

    def _cancelled(self, request: Request) -> Ended:
        request.cancelled = True
        return (self._passed(request),)

    def _report_progress(self, request: Request, moment: Moment) -> None:
        processed = self._state.tallies[request.tally].processed
        if processed - request.reported >= max(self._rules.request_window, request.matched // REPORTS):
            request.reported = processed
            self._report(request, "progress", moment)

    def _report_all(self, requests: Iterable[Request], state: RequestState, moment: Moment) -> None:
        for request in requests:
            self._report(request, state, moment)

    def _report(self, request: Request, state: RequestState, moment: Moment) -> None:
        request_changed(self._emit, request, self._state.tallies[request.tally], state, moment.trace)


def _wants(request: Request) -> tuple[object, ...]:
    return request.root, request.subtree, request.media_types, request.statuses


def _standing(entry: Entry) -> Standing:
    return "none" if entry.analysis is None else entry.analysis.status
