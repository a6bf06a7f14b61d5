"""Who made it and what it is a part of, from the folders: the artist and album of a song, the author and series of a book.

`Artist/Album`, `Artist - Album`, `Author/Book`, `Author/Series/Book`: the folder layouts that music players, audiobook
servers and book libraries document. A single folder is read so only inside a library folder.
"""

from __future__ import annotations

import re

from msgspec import Struct

from streams.core.path_names.folders import Folder
from streams.core.path_names.text import spaced, trimmed, without_tags

_YEAR = re.compile(
    r"[(\[{]\s*(?:1[4-9]|20)[0-9]{2}[^)\]}]{0,12}[)\]}]|^\s*(?:1[4-9]|20)[0-9]{2}\s*(?:-|–|\.)\s*(?=\S)"
)
_IN_BRACKETS = re.compile(r"\s*[(\[{][^)\]}]*[)\]}]\s*$")
_SORTED = re.compile(r"(?P<last>[^\W\d_][\w.'’ -]*),\s*(?P<first>[^\W\d_][\w.'’ -]*)")


class Makers(Struct, frozen=True, gc=False):
    """None for what the folders do not contain."""

    artist: str | None = None
    album: str | None = None
    author: str | None = None
    series: str | None = None


NOBODY = Makers()


def of_song(folders: list[Folder], various: frozenset[str]) -> Makers:
    """The makers of a track. `various`: names of folders of several artists."""
    names = _titles(folders)
    if len(names) > 1:
        artist, album = names[-2], _plain(names[-1])
        head, dash, tail = album.partition(" - ")
        if dash and head.casefold() == artist.casefold():
            album = tail
    elif names and " - " in names[0]:
        artist, album = _plain(names[0]).split(" - ", 1)
    elif names and _in_library(folders):
        artist, album = names[0], ""
    else:
        return NOBODY
    mixed = artist.casefold() in various
    return Makers(None if mixed else trimmed(artist) or None, trimmed(album) or None)


def of_book(folders: list[Folder], *, is_read_aloud: bool) -> Makers:
    """The makers of a book, or of a chapter of an audiobook."""
    names = _titles(folders)
    if len(names) > 2:
        return Makers(author=_person(names[0]), series=_plain(names[-2]) or None)
    if len(names) == 2 and _in_library(folders):
        return Makers(author=_person(names[0]))
    if len(names) == 1 and _in_library(folders):
        head, dash, _ = names[0].partition(" - ")
        return Makers(author=_person(head if dash else names[0])) if dash or not is_read_aloud else NOBODY
    return NOBODY


def _titles(folders: list[Folder]) -> list[str]:
    return [spaced(folder.name) for folder in folders if folder.purpose == "title"]


def _in_library(folders: list[Folder]) -> bool:
    return any(folder.contents is not None for folder in folders)


def _plain(name: str) -> str:
    """The name without year, format and similar additions."""
    text = _YEAR.sub(" ", without_tags(name)[0])
    return trimmed(_IN_BRACKETS.sub("", text)) or trimmed(text)


def _person(name: str) -> str | None:
    """`Le Guin, Ursula K.` → `Ursula K. Le Guin`."""
    text = _IN_BRACKETS.sub("", name).strip(" -–")
    found = _SORTED.fullmatch(text)
    return (f"{found['first']} {found['last']}" if found is not None else text) or None
