"""When a tally is complete: the one place that decides it, and removes the tally.

A scan is complete when it has finished and none of its paths and jobs is open; then its analysis is published once, if
it had jobs; likewise an analysis on request, when all its items have been processed. A batch of other jobs ends when
none of its jobs was open for `Rules.batch_quiet_ms`.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET

from schemas.media import AnalysisComplete
from streams.core.emit import Emitter
from streams.core.moment import Moment
from streams.core.request_changes import request_changed
from streams.core.rules import Rules
from streams.core.state import Root, State, Tally, TallyId


class Completion:
    """Completion of a lane's tallies."""

    def __init__(self, state: State, rules: Rules, emit: Emitter) -> None:
        self._state = state
        self._tallies = state.tallies
        self._rules = rules
        self._emit = emit

    def close(self, ended: Iterable[TallyId], moment: Moment) -> None:
        """Something of these tallies has ended: complete ones are closed, and batches wait to be quiet."""
        for id_ in ended:
            tally = self._tallies.get(id_)
            if tally is not None and tally.complete:
                self._close(self._state.roots[tally.root], tally, moment)

    def quiet(self, tally: Tally, moment: Moment) -> None:
        """The deadline of a batch has come."""
        tally.deadline = None
        root = self._state.roots[tally.root]
        if tally.complete and root.batch == tally.id:
            self._forget_batch(root, tally)
            self._report(tally, moment)

    def _close(self, root: Root, tally: Tally, moment: Moment) -> None:
        if tally.scan_id is not None:
            del root.scans[tally.number], self._tallies[tally.id]
            self._report(tally, moment)
        elif tally.request is not None:
            self._close_request(tally, tally.request, moment)
        elif not tally.processed:
            self._forget_batch(root, tally)
        elif tally.deadline is None:
            self._state.deadlines.set(tally, moment.now + self._rules.batch_quiet_ms)
        else:
            tally.deadline = moment.now + self._rules.batch_quiet_ms

    def _close_request(self, tally: Tally, id_: int, moment: Moment) -> None:
        request = self._state.requests.pop(id_)
        if not self._state.requests:
            self._state.by_age = None
        del self._tallies[tally.id]
        self._report(tally, moment)
        request_changed(self._emit, request, tally, "cancelled" if request.cancelled else "finished", moment.trace)

    def _forget_batch(self, root: Root, tally: Tally) -> None:
        root.batch = None
        del self._tallies[tally.id]

    def _report(self, tally: Tally, moment: Moment) -> None:
        """Publish the result of the analysis, if there was any."""
        if not tally.processed:
            return
        started = moment.now if tally.started_at is None else tally.started_at
        update = AnalysisComplete(
            items_processed=tally.processed,
            items_identified=tally.identified,
            items_failed=tally.failed,
            duration_ms=moment.now - started,
            storage_root=tally.root,
            scan_id=UNSET if tally.scan_id is None else tally.scan_id,
        )
        self._emit.analysis_complete(tally.library, update, moment.trace)
