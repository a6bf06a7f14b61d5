"""Which files were deleted and have not come back. Pure.

A deletion is a loss until a change reports something at its path again, or its item elsewhere; a moved file was never
reported as deleted. What an operator removed from the catalogue, and what a root's settings now exclude, is still on the
disk and not a loss.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from schemas.changes import Change, Created, Deleted, Modified, Renamed, TreeRenamed
from schemas.log_record import LogRecord
from schemas.paths import from_wire

STILL_THERE = frozenset({"retired", "excluded"})
"""Causes of deletions that took nothing from the disk."""


class Lost(Struct, frozen=True, kw_only=True, tag_field="lost", tag="file"):
    """One file. `at`: when it was decided, ISO 8601."""

    at: str
    library: str
    root: str
    path: str
    path_b64: str | None
    size: int
    media_id: int | None
    fingerprint: str | None
    cause: str | None
    scan_id: int | None
    partition: int
    offset: int

    @property
    def exact_path(self) -> str:
        """With surrogates for foreign bytes."""
        return from_wire(self.path, self.path_b64)


class LostTotal(Struct, frozen=True, kw_only=True, tag_field="lost", tag="total"):
    """The losses of a root with the same cause and scan, or (`root` null) all of them."""

    root: str | None
    cause: str | None
    scan_id: int | None
    files: int
    bytes: int
    directories: int
    first_at: str | None
    last_at: str | None


class Losses:
    """Processes the changes from the beginning of the requested time to the end of the log. Memory: the lost files."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], Lost] = {}
        self._directories: dict[tuple[str, str], Lost] = {}
        self._by_media: dict[int, tuple[str, str]] = {}

    def read(self, record: LogRecord, change: Change, *, counts: bool) -> None:
        """Process the next change. `counts`: it lies in the requested time; later ones can only restore something."""
        match change:
            case Deleted():
                place = change.root, from_wire(change.path, change.path_b64)
                self._back(place)
                if counts and change.cause not in STILL_THERE:
                    self._lose(place, change, record)
            case Created() | Modified() | Renamed():
                self._back((change.root, from_wire(change.path, change.path_b64)))
                if change.media_id is not None and change.media_id in self._by_media:
                    self._back(self._by_media[change.media_id])
            case TreeRenamed():
                self._back((change.root, from_wire(change.path, change.path_b64)))
            case _:
                pass

    def files(self) -> list[Lost]:
        """The files, by root and path."""
        return [self._files[place] for place in sorted(self._files)]

    def totals(self) -> Iterator[LostTotal]:
        """Totals by root, cause and scan, ordered by their first loss; the last one is the grand total."""
        groups: dict[tuple[str, str | None, int | None], tuple[list[Lost], list[Lost]]] = {}
        for lost, number in ((self._files, 0), (self._directories, 1)):
            for one in lost.values():
                groups.setdefault((one.root, one.cause, one.scan_id), ([], []))[number].append(one)
        ordered = sorted(groups.items(), key=lambda item: min(one.at for part in item[1] for one in part))
        for (root, cause, scan_id), (files, directories) in ordered:
            yield _total(root, cause, scan_id, files, directories)
        yield _total(None, None, None, list(self._files.values()), list(self._directories.values()))

    def _lose(self, place: tuple[str, str], change: Deleted, record: LogRecord) -> None:
        lost = Lost(
            at=change.at, library=change.library, root=change.root, path=change.path, path_b64=change.path_b64,
            size=change.size, media_id=change.media_id, fingerprint=change.fingerprint, cause=change.cause,
            scan_id=change.scan_id, partition=record.partition, offset=record.offset,
        )  # fmt: skip
        if change.type == "dir":
            self._directories[place] = lost
            return
        self._files[place] = lost
        if change.media_id is not None:
            self._by_media[change.media_id] = place

    def _back(self, place: tuple[str, str]) -> None:
        self._directories.pop(place, None)
        lost = self._files.pop(place, None)
        if lost is not None and lost.media_id is not None:
            self._by_media.pop(lost.media_id, None)


def _total(
    root: str | None, cause: str | None, scan_id: int | None, files: list[Lost], directories: list[Lost]
) -> LostTotal:
    times = sorted(one.at for one in (*files, *directories))
    return LostTotal(
        root=root, cause=cause, scan_id=scan_id, files=len(files), bytes=sum(one.size for one in files),
        directories=len(directories), first_at=times[0] if times else None, last_at=times[-1] if times else None,
    )  # fmt: skip
