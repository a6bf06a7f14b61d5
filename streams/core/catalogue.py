"""The catalogue: the only writer of items and media updates.

It receives what happened to a path and publishes what that means: an item created, changed or deleted, a job requested,
a result applied. `media_id` is the position of the observation that opened the item and survives renames, rewrites and
re-analysis. It decides nothing about time windows or identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial

from msgspec.structs import asdict, replace

from schemas.changes import Created, Deleted, Modified, Renamed, TreeRenamed
from schemas.identity import other_fingerprint, same_content, same_fingerprint
from schemas.ids import media_id
from schemas.media import (
    Analysis,
    GoneItem,
    ItemAnalyzed,
    ItemCreated,
    ItemDeleted,
    ItemUpdated,
    MediaItem,
)
from schemas.paths import to_wire
from schemas.raw import Corrected, Correction, Result
from schemas.times import iso
from streams.core.emit import Emitter
from streams.core.jobs import Jobs
from streams.core.known import Known
from streams.core.moment import Moment
from streams.core.precedence import NO_CORRECTION, found_in, precedence_by
from streams.core.rules import Rules
from streams.core.state import Ended, Entry, Former, Links, MovedTree, Root, RootPath, Sighting, State, TallyId

_iso = lru_cache(256)(iso)  # files of a batch have become known at the same time
PathKind = Created | Modified | Deleted | Renamed


class Catalogue:
    """Items of a lane. `id_base`: see `schemas.ids.media_id`."""

    def __init__(
        self, state: State, rules: Rules, known: Known, jobs: Jobs, emit: Emitter, id_base: int = 0
    ) -> None:
        self._state = state
        self._rules = rules
        self._precedence = precedence_by(rules)
        self._known = known
        self._jobs = jobs
        self._emit = emit
        self._id_base = id_base

    # -- what happened to a path -------------------------------------------------------------------------------

    def created(
        self, root: Root, place: RootPath, seen: Sighting, fingerprint: str | None, moment: Moment
    ) -> None:
        """Something is where nothing was."""
        state = seen.state
        assert state is not None
        entry = Entry.seen(root.library, place, state, moment.at)
        entry.fingerprint = fingerprint
        if state.type == "file":
            entry.media_id = media_id(self._id_base, self._emit.lane, seen.offset)
        self._known.add(entry)
        self._change(Created, "created", entry, seen)
        if entry.media_id:
            self._update(entry, ItemCreated, seen.trace)
            self._jobs.request(root, entry, seen.tally, moment.now, seen.trace)

    def modified(self, root: Root, entry: Entry, seen: Sighting, fingerprint: str | None, moment: Moment) -> Ended:
        """What is at the path has other content or another identity."""
        assert seen.state is not None
        same = same_fingerprint(fingerprint, entry.fingerprint) and seen.state.size == entry.size
        if not same:
            self._remember(entry, fingerprint)
        self._known.update(entry, seen.state, fingerprint)
        self._change(Modified, "modified", entry, seen)
        return self._content(root, entry, seen.tally, moment.now, seen.trace, changed=not same)

    def moved(
        self, root: Root, entry: Entry, before: RootPath, seen: Sighting, fingerprint: str | None, moment: Moment,
        *, taken: bool = False,
    ) -> Ended:  # fmt: skip
        """What was at `before` is at the entry's place now, perhaps rewritten meanwhile. `taken`: something else has
        been published at `before` since."""
        state = seen.state
        assert state is not None
        known = entry.fingerprint
        rewritten = entry.size != state.size or entry.mtime_ns != state.mtime_ns
        changed = other_fingerprint(fingerprint, known) or (rewritten and not same_fingerprint(fingerprint, known))
        if changed:
            self._remember(entry, fingerprint)
        self._known.update(entry, state, fingerprint)
        self._renamed(entry, before, seen, taken=taken)
        return self._content(root, entry, seen.tally, moment.now, seen.trace, changed=changed, before=before)

    def tree_moved(
        self, root: Root, tree: MovedTree, entries: list[Entry], now: int, is_taken: Callable[[RootPath], bool]
    ) -> Iterator[Ended]:
        """A directory has moved with all these below it: one record for the tree, one for each path, with the same
        cause. One path per step. `is_taken`: whether something else has been published at a place since."""
        id_, trace = self._emit.next_id(), tree.seen.trace
        seen = replace(tree.seen, cause=f"tree:{id_}")
        change = _tree(root, tree, self._emit.at, len(entries), f"tree:{id_}", taken=is_taken(tree.published))
        self._emit.change(change, "tree_moved", f"{root.name}/{tree.place.path}", trace, id_=id_)
        for entry in entries:
            before = RootPath(tree.published.root, tree.published.path + entry.path[len(tree.place.path) :])
            self._renamed(entry, before, seen, taken=is_taken(before))
            yield self._content(root, entry, None, now, trace, changed=False, before=before)

    def fingerprinted(self, entry: Entry, fingerprint: str, trace: bytes | None) -> Ended:
        """The fingerprint of a known file became known. If the content is the former one again, its analysis is valid
        again, and no job is needed."""
        self._state.changing(entry)
        former, entry.former = entry.former, None
        self._known.set_fingerprint(entry, fingerprint)
        if former is None or former.fingerprint != fingerprint:
            return ()
        entry.analysis = former.analysis
        self._altered(entry)
        ended = self._jobs.end(entry)
        self._update(entry, ItemUpdated, trace)
        return ended

    def deleted(self, entry: Entry, seen: Sighting) -> Ended:
        """Nothing is there any more, and no rename explains it."""
        self._known.remove(entry)
        ended = self._jobs.end(entry)
        self._change(Deleted, "deleted", entry, seen)
        if entry.media_id:
            gone = ItemDeleted(
                media_id=entry.media_id, media=self._gone_item(entry, RootPath(entry.root, entry.path))
            )
            self._emit.media_update(entry.library, gone, seen.trace)
            self._emit.state(entry.media_id, None, seen.trace)
        return ended

    def unsettled(self, root: Root, entry: Entry | None, place: RootPath, seen: Sighting) -> None:
        """Still being written at the max hold: a change record, no update, no job."""
        state = seen.state
        assert state is not None
        shown = Entry.seen(root.library, place, state, 0)
        shown.media_id = 0 if entry is None else entry.media_id
        kind: Callable[..., Created | Modified] = partial(Created if entry is None else Modified, settled=False)
        self._change(kind, "created" if entry is None else "modified", shown, seen)

    def result(self, record: Result, trace: bytes | None) -> Ended | None:
        """Apply a result; None when no open job waits for it (second, outdated, deleted)."""
        job = self._state.jobs.get(record.job)
        entry = None if job is None else self._known.get(job.place)
        if job is None or entry is None:
            return None
        if record.status == "done" and not same_content(record, entry):
            return None  # of another content; the pending change ends the job when it settles
        ended = self._jobs.end(entry)
        found = self._precedence.kept(record.found)
        tally = self._state.tallies[job.tally]
        tally.processed += 1
        if tally.request is not None and record.status == "unreadable" and _is_done(entry):
            tally.failed += 1
            return ended  # the content is what it was, and so is what is known of it
        self._state.changing(entry)
        entry.former = None
        entry.analysis = Analysis(record.status, self._emit.at, record.reason, found)
        self._altered(entry)
        if record.status != "done":
            tally.failed += 1
        elif self._precedence.is_identified(entry.path, found):
            tally.identified += 1
        self._update(entry, ItemAnalyzed, trace, analysis_id=record.job)
        return ended

    def reread(self, entry: Entry, former: Catalogue, moment: Moment) -> Ended:
        """The rules have changed: publish the item if it differs from the item by the `former` rules, and request the
        analysis if only the new rules require it."""
        if not entry.media_id:
            return ()
        before = former.item(entry)
        self._link(entry)
        if self.item(entry) != before:
            self._update(entry, partial(ItemUpdated, cause=f"rules:{self._rules.version}"), moment.trace)
        if not self._jobs.are_for(entry):
            return self._jobs.end(entry)
        if entry.job is None and entry.analysis is None and not former._jobs.are_for(entry):
            self._jobs.request(self._state.roots[entry.root], entry, None, moment.now, moment.trace)
        return ()

    def publish_relinked(self, trace: bytes | None) -> Iterator[None]:
        """Publish the items whose links to the files beside them differ from those published last. One item per
        step."""
        neighbours = self._known.neighbours
        for entry in () if neighbours is None else neighbours.changed():
            if self._link(entry):
                self._update(entry, ItemUpdated, trace)
            yield

    def corrected(self, record: Corrected, entry: Entry, trace: bytes | None) -> None:
        """A person corrects an item, or withdraws a correction."""
        before = entry.correction or NO_CORRECTION
        kept = replace(before, **dict.fromkeys(record.withdrawn))
        fields = {name: value for name, value in asdict(record.correction).items() if value is not None}
        after = replace(kept, **fields)
        if after == before:
            return
        self._state.changing(entry)
        entry.correction = None if after == NO_CORRECTION else after
        self._update(entry, partial(ItemUpdated, cause="corrected"), trace)

    # -- inside ------------------------------------------------------------------------------------------------

    def _content(
        self, root: Root, entry: Entry, tally: TallyId | None, now: int, trace: bytes | None, *, changed: bool,
        before: RootPath | None = None,
    ) -> Ended:  # fmt: skip
        if not entry.media_id:
            return ()
        was = None
        if self._rules.whence and before is not None and before.root != entry.root:
            was = self._gone_item(entry, before)
        if changed:
            self._state.changing(entry)
            entry.analysis = None
            self._altered(entry)
        # an open job names the old path or content; an unreadable file is tried again
        again = changed or entry.job is not None or entry.analysis is None or entry.analysis.status == "unreadable"
        ended = self._jobs.end(entry) if again else ()
        self._update(entry, ItemUpdated if was is None else partial(ItemUpdated, was=was), trace)
        if again:
            self._jobs.request(root, entry, tally, now, trace)
        return ended

    def _remember(self, entry: Entry, fingerprint: str | None) -> None:
        """Keep the former content's analysis while the fingerprint of the new content is not known."""
        self._state.changing(entry)
        if fingerprint is not None:
            entry.former = None
        elif entry.analysis is not None and entry.fingerprint is not None:
            entry.former = Former(entry.fingerprint, entry.analysis)

    def _renamed(self, entry: Entry, before: RootPath, seen: Sighting, *, taken: bool) -> None:
        from_path, from_b64 = to_wire(before.path)
        kind = partial(
            Renamed, from_root=before.root, from_path=from_path, from_path_b64=from_b64, from_taken=taken
        )
        self._change(kind, "moved", entry, seen)

    def _change(self, kind: Callable[..., PathKind], type_: str, entry: Entry, seen: Sighting) -> None:
        path, b64 = to_wire(entry.path)
        change = kind(
            library=entry.library, root=entry.root, at=self._emit.at, path=path, path_b64=b64,
            type=entry.type, origin=seen.origin, size=entry.size, mtime_ns=entry.mtime_ns,
            media_id=entry.media_id or None, fingerprint=entry.fingerprint, cause=seen.cause,
            scan_id=None if seen.tally is None else self._state.tallies[seen.tally].scan_id,
        )  # fmt: skip
        self._emit.change(change, type_, f"{entry.root}/{entry.path}", seen.trace)

    def _update(
        self, entry: Entry, update: Callable[..., ItemCreated | ItemUpdated | ItemAnalyzed], trace: bytes | None,
        **more: str,
    ) -> None:  # fmt: skip
        self._link(entry)
        item = self.item(entry)
        self._emit.media_update(entry.library, update(media_id=entry.media_id, media=item, **more), trace)
        self._emit.state(entry.media_id, item, trace)

    def _link(self, entry: Entry) -> bool:
        """Update the entry's links to its neighbours; True if they have changed."""
        links = self.links_of(entry)
        if links == entry.links:
            return False
        self._state.changing(entry)
        entry.links = links
        return True

    def _altered(self, entry: Entry) -> None:
        """What was found in the file has changed: its neighbours may use it."""
        if self._known.neighbours is not None:
            self._known.neighbours.altered(entry)

    def links_of(self, entry: Entry) -> Links | None:
        """What a known file has from the files beside it, by the present rules."""
        return None if self._known.neighbours is None else self._known.neighbours.links_of(entry)

    def item(self, entry: Entry) -> MediaItem:
        """The item of a known file, by the present rules."""
        return self._item(entry, entry.links)

    def relinked_item(self, entry: Entry) -> MediaItem:
        """The same, with its links to its neighbours determined again."""
        return self._item(entry, self.links_of(entry))

    def _item(self, entry: Entry, links: Links | None) -> MediaItem:
        resolved = self._precedence.resolve(entry.path, entry.analysis, links, entry.correction)
        found = found_in(entry.analysis)
        path, b64 = to_wire(entry.path)
        directory = path.rpartition("/")[0]
        return MediaItem(
            id=entry.media_id,
            title=resolved.title,
            media_type=resolved.media_type,
            year=resolved.year,
            description=resolved.description,
            cover_image=None if resolved.cover is None else self._rules.cover_url + resolved.cover,
            rating=resolved.rating,
            quality=resolved.quality,
            file_size=entry.size,
            directory_path=f"/{entry.root}/{directory}" if directory else f"/{entry.root}",
            smb_path=self._smb_path(entry.root, path),
            created_at=_iso(entry.created_at),
            updated_at=self._emit.at,
            library=entry.library,
            storage_root=entry.root,
            path=path,
            path_b64=b64,
            fingerprint=entry.fingerprint,
            category=resolved.category,
            season=resolved.season,
            episode=resolved.episode,
            last_episode=resolved.last_episode,
            date=resolved.date,
            part=resolved.part,
            edition=resolved.edition,
            duration=None if found.duration_ms is None else found.duration_ms / 1000,
            analysis=resolved.analysis,
            artist=resolved.makers.artist,
            album=resolved.makers.album,
            author=resolved.makers.author,
            series=resolved.makers.series,
            belongs_to=None if links is None else links.belongs_to,
            subtitle_languages=resolved.subtitle_languages,
            forced=resolved.forced,
            sdh=resolved.sdh,
            corrected=_members(entry.correction),
        )

    def _smb_path(self, name: str, path: str) -> str | None:
        """`//host/share/folder/path`, where the root is on a share."""
        root = self._state.roots.get(name)
        return f"{root.location}/{path}" if root is not None and root.protocol == "smb" else None

    def _gone_item(self, entry: Entry, place: RootPath) -> GoneItem:
        """The item for a deletion, at the place where it was."""
        path, b64 = to_wire(place.path)
        resolved = self._precedence.resolve(place.path, entry.analysis, entry.links, entry.correction)
        return GoneItem(
            id=entry.media_id, title=resolved.title, media_type=resolved.media_type,
            storage_root=place.root, path=path, path_b64=b64,
        )  # fmt: skip


def _tree(root: Root, tree: MovedTree, at: str, count: int, cause: str, *, taken: bool) -> TreeRenamed:
    path, b64 = to_wire(tree.place.path)
    from_path, from_b64 = to_wire(tree.published.path)
    return TreeRenamed(
        library=root.library, root=root.name, at=at, path=path, path_b64=b64, from_path=from_path,
        from_path_b64=from_b64, from_root=root.name, count=count, cause=cause, from_taken=taken,
    )  # fmt: skip


def _members(correction: Correction | None) -> tuple[str, ...]:
    """Which members a person has set; the cover is the item's `cover_image`."""
    fields = () if correction is None else asdict(correction).items()
    return tuple("cover_image" if name == "cover" else name for name, value in fields if value is not None)


def _is_done(entry: Entry) -> bool:
    return entry.analysis is not None and entry.analysis.status == "done"
