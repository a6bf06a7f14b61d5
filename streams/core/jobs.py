"""Analysis jobs: requested, requested again when no result comes, ended.

A job ends with its result, or when its file changes, moves or is deleted; without any of these it is requested again
after `Rules.job_patience_ms` of lane time, `job_attempts` times in all, and then counted as failed: so every scan ends.
Each belongs to a tally: a scan's, that of an analysis on request, or the root's batch of others.
"""

from __future__ import annotations

from schemas.analysis import Job
from schemas.found import MediaType
from schemas.paths import to_wire
from schemas.raw import FileState
from streams.core import naming
from streams.core.emit import Emitter
from streams.core.known import Known
from streams.core.moment import Moment
from streams.core.rules import Rules
from streams.core.state import Ended, Entry, OpenJob, Root, RootPath, State, Tally, TallyId
from streams.core.tally import opened


class Jobs:
    """Open jobs of a lane."""

    def __init__(self, state: State, rules: Rules, known: Known, emit: Emitter) -> None:
        self._state = state
        self._jobs = state.jobs
        self._rules = rules
        self._names = naming.names_by(rules)
        self._probed_too = frozenset(rules.probed_too.split())
        self._known = known
        self._emit = emit

    def request(self, root: Root, entry: Entry, counted: TallyId | None, now: int, trace: bytes | None) -> None:
        """Request the analysis of a file, if files of its kind are analysed. `counted`: the scan's or request's
        tally."""
        media_type = self.media_type(entry)
        if media_type is None:
            return
        tally = self._batch(root) if counted is None else self._state.tallies[counted]
        if tally.started_at is None:
            tally.started_at = now
        tally.open_jobs += 1
        self._put(root, entry, media_type, tally.id, now, 1, trace)

    def are_for(self, entry: Entry) -> bool:
        """Whether a file like this one is analysed at all."""
        return self.media_type(entry) is not None

    def media_type(self, entry: Entry) -> MediaType | None:
        """The media type as which a file like this one is analysed; None if it is not analysed."""
        media_type = self._names.media_type(entry.path)
        wanted = media_type in self._rules.probed or entry.path.rpartition(".")[2].lower() in self._probed_too
        return media_type if wanted and entry.size > 0 else None

    def retry(self, job: OpenJob, moment: Moment) -> Ended:
        """The oldest job has waited long enough: request it again, or count it as failed."""
        entry = self._known.get(job.place)
        assert entry is not None
        if job.attempt < self._rules.job_attempts:
            del self._jobs[job.id]
            media_type = self._names.media_type(entry.path)
            root = self._state.roots[entry.root]
            self._put(root, entry, media_type, job.tally, moment.now, job.attempt + 1, moment.trace)
            return ()
        tally = self._state.tallies[job.tally]
        tally.processed += 1
        tally.failed += 1
        return self.end(entry)

    def end(self, entry: Entry) -> Ended:
        """The file's open job is over, if it has one."""
        if entry.job is None:
            return ()
        job = self._jobs.pop(entry.job)
        self._state.changing(entry)
        entry.job = None
        self._state.tallies[job.tally].open_jobs -= 1
        return (job.tally,)

    def _batch(self, root: Root) -> Tally:
        if root.batch is not None:
            return self._state.tallies[root.batch]
        batch = opened(self._state, root.library, root.name)
        root.batch = batch.id
        return batch

    def _put(
        self, root: Root, entry: Entry, media_type: MediaType, tally: TallyId, now: int, attempt: int,
        trace: bytes | None,
    ) -> None:  # fmt: skip
        self._state.changing(entry)
        id_ = entry.job = self._emit.next_id()
        path, b64 = to_wire(entry.path)
        self._jobs[id_] = OpenJob(id_, RootPath(entry.root, entry.path), tally, now, attempt)
        job = Job(
            job=id_, media_id=entry.media_id, library=entry.library, root=entry.root, site=root.site, path=path,
            path_b64=b64, file=FileState(entry.type, entry.size, entry.mtime_ns, entry.dev, entry.inode),
            media_type=media_type, attempt=attempt, request=self._state.tallies[tally].request,
        )  # fmt: skip
        self._emit.job(job, trace)
