"""The catalogue: the only writer of items, media updates, jobs and analysis updates.

It is told what happened to a path and says what that means: an item opened, told complete, closed; a job asked
for; a result taken in. `media_id` is the position of the observation that opened the item and survives renames,
rewrites and re-analysis. It decides nothing about time windows or identity.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from schemas.analysis import Job
from schemas.changes import Created, Deleted, Modified, PathChange, Renamed, TreeRenamed
from schemas.found import Found
from schemas.ids import media_id
from schemas.media import (
    Analysis,
    AnalysisComplete,
    GoneItem,
    ItemAnalyzed,
    ItemCreated,
    ItemDeleted,
    ItemUpdated,
    MediaItem,
    MediaType,
)
from schemas.paths import to_wire
from schemas.raw import FileState, Result
from schemas.times import iso
from streams.core import naming
from streams.core.emit import Emitter
from streams.core.known import Entry, Known, Place
from streams.core.roots import Root
from streams.core.settle import Sighting
from streams.core.tally import Tally

JOB_PATIENCE_MS = 86_400_000
"""A job without a result is asked again after 24 h of lane time."""
JOB_ATTEMPTS = 3
NOTHING = Found()

C = TypeVar("C", bound=PathChange)


class OpenJob(Struct):
    """A job without a result. `asked_at` in lane time."""

    entry: Entry
    tally: Tally
    asked_at: int
    attempt: int


class Catalogue:
    """Items and jobs of a lane. `ended`: told of accounts of which a job has ended; `id_base`: see
    `schemas.ids.media_id`."""

    def __init__(self, known: Known, emit: Emitter, ended: list[Tally], id_base: int = 0) -> None:
        self._known = known
        self._emit = emit
        self._id_base = id_base
        # in the order of being asked; the first of a dict would cost as much as the answered ones before it
        self._jobs: OrderedDict[str, OpenJob] = OrderedDict()
        self._ended = ended
        self.next_at: int | None = None
        """Lane time at which the oldest open job has waited long enough; None when no job is open."""

    # -- what happened to a path -------------------------------------------------------------------------------

    def created(
        self, root: Root, place: Place, seen: Sighting, fingerprint: str | None, now: int, at: int
    ) -> None:
        """Something is where nothing was. `at`: append time in milliseconds."""
        state = seen.state
        assert state is not None
        entry = Entry.seen(root.library, place, state, at)
        entry.fingerprint = fingerprint
        if state.type == "file":
            entry.media_id = media_id(self._id_base, self._emit.lane, seen.offset)
        self._known.add(entry)
        with self._emit.following(seen.trace):
            self._emit.change(self._path_change(Created, entry, seen), "created", _subject(place))
            if entry.media_id:
                self._tell(entry, ItemCreated)
                self._ask(root, entry, seen.tally, now)

    def modified(self, root: Root, entry: Entry, seen: Sighting, fingerprint: str | None, now: int) -> None:
        """What is there has other content or another identity."""
        assert seen.state is not None
        content = fingerprint is None or fingerprint != entry.fingerprint or seen.state.size != entry.size
        self._known.update(entry, seen.state, fingerprint)
        with self._emit.following(seen.trace):
            self._emit.change(self._path_change(Modified, entry, seen), "modified", _subject(entry.place))
            if entry.media_id:
                self._content(root, entry, seen.tally, now, changed=content)

    def moved(
        self, root: Root, entry: Entry, place: Place, seen: Sighting, fingerprint: str | None, now: int
    ) -> None:
        """What was at the entry's place is at `place` now, perhaps rewritten meanwhile."""
        state = seen.state
        assert state is not None
        before = entry.place
        changed = entry.size != state.size or entry.mtime_ns != state.mtime_ns
        if changed and fingerprint is not None and fingerprint == entry.fingerprint:
            changed = False
        self._known.move(entry, place.root, place.path)
        self._known.update(entry, state, fingerprint)
        with self._emit.following(seen.trace):
            self._renamed(entry, before, seen)
            if entry.media_id:
                self._content(root, entry, seen.tally, now, changed=changed)

    def tree_moved(
        self, root: Root, entries: list[Entry], source: str, target: str, seen: Sighting, now: int
    ) -> Iterator[None]:
        """A directory moved with all below it: one record for the tree, one for each path, same cause. A path a
        step."""
        cause = f"tree:{self._emit.job_id()}"
        seen = replace(seen, cause=cause)
        path, b64 = to_wire(target)
        from_path, from_b64 = to_wire(source)
        self._emit.change(
            TreeRenamed(
                library=root.library, root=root.name, at=self._emit.at, path=path, path_b64=b64,
                from_path=from_path, from_path_b64=from_b64, from_root=root.name, count=len(entries), cause=cause,
            ),
            "tree_moved",
            _subject(Place(root.name, target)),
        )  # fmt: skip
        for entry in entries:
            before = entry.place
            self._known.move(entry, root.name, target + entry.path[len(source) :])
            self._renamed(entry, before, seen)
            if entry.media_id:
                self._content(root, entry, None, now, changed=False)
            yield

    def deleted(self, entry: Entry, seen: Sighting) -> None:
        """Nothing is there any more, and no rename explains it."""
        self._known.remove(entry)
        self._end_job(entry)
        with self._emit.following(seen.trace):
            self._emit.change(self._path_change(Deleted, entry, seen), "deleted", _subject(entry.place))
            if entry.media_id:
                self._emit.media_update(
                    entry.library, ItemDeleted(media_id=entry.media_id, media=_gone_item(entry))
                )
                self._emit.state(entry.media_id, None)

    def unsettled(self, root: Root, entry: Entry | None, place: Place, seen: Sighting) -> None:
        """Still being written at the max hold: a change record, no update, no job."""
        state = seen.state
        assert state is not None
        shown = Entry.seen(root.library, place, state, 0)
        shown.media_id = 0 if entry is None else entry.media_id
        kind: Callable[..., Created | Modified] = partial(Created if entry is None else Modified, settled=False)
        with self._emit.following(seen.trace):
            change = self._path_change(kind, shown, seen)
            self._emit.change(change, "created" if entry is None else "modified", _subject(place))

    # -- jobs --------------------------------------------------------------------------------------------------

    @property
    def open_jobs(self) -> int:
        """How many jobs have no result yet."""
        return len(self._jobs)

    @property
    def oldest_root(self) -> str:
        """The root of the oldest open job."""
        return next(iter(self._jobs.values())).entry.root

    def ask_again(self, site: str, now: int) -> None:
        """The oldest job has waited long enough: ask again, or count it as lost."""
        job = self._take_job(next(iter(self._jobs)))
        if job.attempt < JOB_ATTEMPTS:
            media_type = naming.media_type_of(job.entry.path)
            self._put_job(site, job.entry, media_type, job.tally, now, job.attempt + 1)
            return
        tally = self._close_job(job)
        tally.processed += 1
        tally.failed += 1

    def result(self, record: Result) -> bool:
        """Take in a result; False when no open job waits for it (second, outdated, deleted)."""
        job = self._jobs.get(record.job)
        if job is None:
            return False
        entry = job.entry
        probed = (record.size, record.mtime_ns, record.inode)
        if record.status == "done" and probed != (entry.size, entry.mtime_ns, entry.inode):
            return False  # of another content; the change that is on its way ends the job when it settles
        self._take_job(record.job)
        tally = self._close_job(job)
        tally.processed += 1
        found = record.found
        entry.analysis = Analysis(record.status, self._emit.at, record.reason, found)
        if record.status != "done":
            tally.failed += 1
        elif (found is not None and found.identified) or naming.read(entry.path).year is not None:
            tally.identified += 1
        self._tell(entry, ItemAnalyzed, analysis_id=record.job)
        return True

    def complete(self, tally: Tally, now: int) -> None:
        """All jobs of a scan or batch are done: say so, once, if there were any."""
        if not tally.processed:
            return
        started = now if tally.started_at is None else tally.started_at
        self._emit.analysis_complete(
            tally.library,
            AnalysisComplete(
                items_processed=tally.processed,
                items_identified=tally.identified,
                items_failed=tally.failed,
                duration_ms=now - started,
                storage_root=tally.root,
                scan_id=UNSET if tally.scan_id is None else tally.scan_id,
            ),
        )

    # -- inside ------------------------------------------------------------------------------------------------

    def _content(self, root: Root, entry: Entry, tally: Tally | None, now: int, *, changed: bool) -> None:
        if changed:
            entry.analysis = None
        # an open job names the old path or content; one that found nothing there deserves another try
        again = changed or entry.job is not None or entry.analysis is None or entry.analysis.status == "unreadable"
        if again:
            self._end_job(entry)
        self._tell(entry, ItemUpdated)
        if again:
            self._ask(root, entry, tally, now)

    def _ask(self, root: Root, entry: Entry, tally: Tally | None, now: int) -> None:
        media_type = naming.read(entry.path).media_type
        if entry.size == 0 or media_type not in naming.PROBED:
            return
        if tally is None:
            tally = root.batch = root.batch or Tally(root.library, root.name, None)
        tally = tally.live
        if tally.started_at is None:
            tally.started_at = now
        tally.open_jobs += 1
        self._put_job(root.site, entry, media_type, tally, now, 1)

    def _put_job(
        self, site: str, entry: Entry, media_type: MediaType, tally: Tally, now: int, attempt: int
    ) -> None:
        job_id = self._emit.job_id()
        path, b64 = to_wire(entry.path)
        self._jobs[job_id] = OpenJob(entry, tally, now, attempt)
        if self.next_at is None:
            self.next_at = now + JOB_PATIENCE_MS
        entry.job = job_id
        self._emit.job(
            Job(
                job=job_id, media_id=entry.media_id, library=entry.library, root=entry.root, site=site, path=path,
                path_b64=b64, file=FileState(entry.type, entry.size, entry.mtime_ns, entry.dev, entry.inode),
                media_type=media_type, attempt=attempt,
            )
        )  # fmt: skip

    def _end_job(self, entry: Entry) -> None:
        if entry.job is None:
            return
        self._close_job(self._take_job(entry.job))

    def _take_job(self, job_id: str) -> OpenJob:
        job = self._jobs.pop(job_id)
        job.entry.job = None
        oldest = next(iter(self._jobs.values()), None)
        self.next_at = None if oldest is None else oldest.asked_at + JOB_PATIENCE_MS
        return job

    def _close_job(self, job: OpenJob) -> Tally:
        tally = job.tally.live
        tally.open_jobs -= 1
        self._ended.append(tally)
        return tally

    def _renamed(self, entry: Entry, before: Place, seen: Sighting) -> None:
        from_path, from_b64 = to_wire(before.path)
        kind = partial(Renamed, from_root=before.root, from_path=from_path, from_path_b64=from_b64)
        self._emit.change(self._path_change(kind, entry, seen), "moved", _subject(entry.place))

    def _path_change(self, kind: Callable[..., C], entry: Entry, seen: Sighting) -> C:
        path, b64 = to_wire(entry.path)
        return kind(
            library=entry.library, root=entry.root, at=self._emit.at, path=path, path_b64=b64,
            type=entry.type, origin=seen.origin, size=entry.size, mtime_ns=entry.mtime_ns,
            media_id=entry.media_id or None, fingerprint=entry.fingerprint, cause=seen.cause,
            scan_id=None if seen.tally is None else seen.tally.live.scan_id,
        )  # fmt: skip

    def _tell(self, entry: Entry, update: type[ItemCreated | ItemUpdated | ItemAnalyzed], **more: str) -> None:
        item = self._item(entry)
        self._emit.media_update(entry.library, update(media_id=entry.media_id, media=item, **more))
        self._emit.state(entry.media_id, item)

    def _item(self, entry: Entry) -> MediaItem:
        named = naming.read(entry.path)
        found = _found(entry)
        path, b64 = to_wire(entry.path)
        directory = path.rpartition("/")[0]
        return MediaItem(
            id=entry.media_id,
            title=_title(named, found),
            media_type=named.media_type,
            year=found.year or named.year,
            cover_image=None if found.cover is None else f"/api/v1/covers/{found.cover}",
            quality=found.quality or named.quality,
            file_size=entry.size,
            directory_path=f"/{entry.root}/{directory}" if directory else f"/{entry.root}",
            created_at=iso(entry.created_at),
            updated_at=self._emit.at,
            library=entry.library,
            storage_root=entry.root,
            path=path,
            path_b64=b64,
            fingerprint=entry.fingerprint,
            category=found.category or named.category,
            season=found.season or named.season,
            episode=found.episode or named.episode,
            duration=None if found.duration_ms is None else found.duration_ms / 1000,
            analysis=entry.analysis,
        )


def _gone_item(entry: Entry) -> GoneItem:
    path, b64 = to_wire(entry.path)
    named = naming.read(entry.path)
    return GoneItem(
        id=entry.media_id, title=_title(named, _found(entry)), media_type=named.media_type,
        storage_root=entry.root, path=path, path_b64=b64,
    )  # fmt: skip


def _subject(place: Place) -> str:
    return f"{place.root}/{place.path}"


def _found(entry: Entry) -> Found:
    return NOTHING if entry.analysis is None or entry.analysis.found is None else entry.analysis.found


def _title(named: naming.Named, found: Found) -> str:
    title = named.title
    if found.title is not None and found.season is not None:
        title = naming.episode_title(found.title, found.season, found.episode)
    elif found.title is not None:
        title = naming.film_title(found.title, found.year)
    elif found.tags is not None and found.tags.title:
        title = found.tags.title
    return title[: naming.MAX_TITLE]
