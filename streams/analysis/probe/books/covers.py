"""A book's cover as a thumbnail; that there is none, or none that can be read, decides nothing else."""

from __future__ import annotations

from streams.analysis.probe import thumbnail
from streams.analysis.probe.books.notes import Notes
from streams.analysis.wire import Picture

MAX_COVER_BYTES = 16_777_216


def of(data: bytes, notes: Notes) -> Picture | None:
    """The thumbnail of a picture's bytes, None with a note where it cannot be made."""
    try:
        picture = thumbnail.of_bytes(data)
    except MemoryError:  # larger inside than its pixels say
        picture = None
    if picture is None:
        notes.add("no picture of it: its cover cannot be read")
    return picture
