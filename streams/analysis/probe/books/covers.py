"""A book's cover as a thumbnail. A missing or unreadable cover has no other effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from streams.analysis.probe import thumbnail
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged
from streams.analysis.probe.thumbnail import MAX_COVER_BYTES as MAX_COVER_BYTES
from streams.analysis.wire import Picture


def of(data: bytes, notes: Notes) -> Picture | None:
    """The thumbnail of a picture's bytes; None, with a note, if it cannot be made."""
    picture = thumbnail.of_bytes(data)
    if picture is None:
        notes.add("no picture of it: its cover cannot be read")
    return picture


def first(pictures: Iterable[Callable[[], bytes]], notes: Notes) -> Picture | None:
    """The first that can be made; `pictures` read them, and raise Damaged. Errors of the pictures before are noted only
    if no picture can be made."""
    wrong = Notes()
    for read in pictures:
        try:
            picture = of(read(), wrong)
        except Damaged as error:
            wrong.add(f"no picture of it: {error.reason}")
            continue
        if picture is not None:
            return picture
    for reason in wrong.all:
        notes.add(reason)
    return None
