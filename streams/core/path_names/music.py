"""Music and audiobooks by their folders and names: the track's title without its number, the year of the album; the book of
a chapter."""

from __future__ import annotations

import re

from msgspec import Struct

from streams.core.path_names.folders import Folder
from streams.core.path_names.text import alike, spaced, trimmed, without_tags

_TRACK = re.compile(
    r"^\s*[\[(]?(?:(?:cd|disc)?\s*[0-9]{1,2}[-.][0-9]{1,3}[\])]?(?:\s*[-._]\s*|\s+)|[0-9]{1,3}[\])]?\s*[-._–]+\s*|"
    r"0[0-9]{1,2}[\])]?\s+|[1-9]0[0-9]\s+|[a-d][1-9][0-9]?[\s.]+)(?=\S)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s-\s(?:(?:cd|disc)?\s*[0-9]{1,2}[-.])?[0-9]{1,3}\s*(?:-|\.)\s(?=\S)")
_ALBUM_YEAR = re.compile(
    r"[(\[{]\s*(1[89][0-9]{2}|20[0-9]{2})[^)\]}]{0,12}[)\]}]|^\s*(1[89][0-9]{2}|20[0-9]{2})\s*(?:-|"
    r"–|\.)\s*(?=\S)|\s-\s(1[89][0-9]{2}|20[0-9]{2})\s-\s|\s[-–]\s(1[89][0-9]{2}|20[0-9]{2})\s*$|"
    r"-((?:19|20)[0-9]{2})-"
)
_FORMAT = re.compile(
    r"(?i)\s*[\[(](?:flac|mp3|320(?:\s?kbps)?|v0|lossless|web|cd|vinyl|24-?bit.*|16-?bit.*|"
    r"explicit|[0-9]{2,3}k(?:bps)?|m4b|unabridged|ungekürzt|abridged|gekürzt|64k|128k|mb|"
    r"[a-z0-9]{10})[\])]"
)
_CHAPTER = re.compile(
    r"(?i)(?:^|[\s._-])(?:chapter|chap|ch|kapitel|chapitre|capitulo|capítulo|track|titel|part|"
    r"partie|parte|część|часть|stave|disco|capitolo|глава|kapitola|teil|pt|cd|disc|disk|file|"
    r"section|kap)[\s._-]*([0-9]{1,3})(?:[\s._-]*(?:of|von)[\s._-]*[0-9]{1,3})?(?![0-9])"
)
_EDGE_NUMBER = re.compile(
    r"^\s*([0-9]{1,3})(?=$|[\s._-])|(?<=[\s._-])([0-9]{2,3})\s*$|^\s*[0-9]{1,2}-([0-9]{1,3})(?=$|[\s._-])"
)
_MIDDLE_NUMBER = re.compile(
    r"(?<=[\s._-])([0-9]{2,3})(?=[\s._-])|第\s*([0-9]{1,4})\s*[集章回話话]|([0-9]{1,4})\s*[장화]"
)
_NAMED = re.compile(r"[0-9]\W+[^\W\d_]{2}")
_SCENE = re.compile(r"^[0-9]{2,3}-[^-]+-(?P<title>.+)$")
_VOLUME = re.compile(
    r"(?i)^\s*(?:\[[^\]]+\]\s*)?(?:(?:book|vol\.?|volume|band|tome|bd\.?|buch|libro|part|teil|"
    r"#)\s*)?#?[0-9]{1,3}(?:\.[0-9])?(?:\s*[-–.:]\s+|\s+(?=[^\W\d]))|^\s*[^\d]{2,40}?\s#?[0-9]{1,2}(?:\.[0-9])?\s-\s|"
    r"\s*[(\[](?:book|vol\.?|volume|band|tome|[^()\[\]]*?#)\s*[0-9]{1,3}[)\]]"
)
_YEAR_LEFT = re.compile(r"^\s*\(?((?:1[89]|20)[0-9]{2})\)?\s*-\s*")
_READER = re.compile(r"(?i)\s*(?:[{\[(][^}\])]*[}\])]|\s-\s(?:read|narrated|gelesen|lu) (?:by|von|par) .*)\s*$")


class SongName(Struct, frozen=True):
    """What is read from the path of a track, or of an audiobook."""

    title: str
    year: int | None = None
    part: int | None = None


def song(stem: str, folders: list[Folder], various: frozenset[str]) -> SongName:
    """A track. `various`: names of folders of several artists."""
    titles = [folder.name for folder in folders if folder.purpose in ("title", "season", "extras")]
    mixed = any(_first_words(folder.name).casefold() in various for folder in folders)
    text = spaced(stem)
    scene = None if " " in stem else _SCENE.match(stem)
    if scene is not None:
        text = spaced(scene["title"])
    between = _BETWEEN.search(text)
    text = (
        text[between.end() :] if between is not None and not _TRACK.match(text) else _TRACK.sub("", text, count=1)
    )
    for _ in range(2):
        head, dash, tail = text.partition(" - ")
        if not dash or not tail.strip():
            break
        if mixed or any(_is_of(head, name) for name in titles) or not titles:
            mixed = False
            text = tail
            text = _TRACK.sub("", text, count=1)
        else:
            break
    album_year = None
    for name in reversed(titles):
        if (found := _ALBUM_YEAR.search(name)) is not None:
            album_year = int(next(group for group in found.groups() if group))
            break
    title = trimmed(_FORMAT.sub("", text)) or trimmed(spaced(stem)) or stem
    return SongName(title, album_year)


def _first_words(folder: str) -> str:
    return folder.split(" - ")[0].strip()


def _is_of(head: str, folder: str) -> bool:
    """Whether a name's first part is the folder's artist, or its artist and album."""
    names = (folder, *folder.split(" - "), _ALBUM_YEAR.sub("", folder))
    return any(alike(head, name) for name in names)


def audiobook(stem: str, folders: list[Folder]) -> SongName:
    """An audiobook, or a chapter of it."""
    titles = [
        folder
        for folder in folders
        if folder.purpose == "title" or (folder.purpose == "season" and _NAMED.search(folder.name))
    ]
    text = spaced(stem)
    for folder in reversed(titles):
        name = trimmed(_ALBUM_YEAR.sub("", folder.name))
        if alike(text[: len(name)], name) and trimmed(text[len(name) :]):
            text = text[len(name) :]
            break
    chapter = _CHAPTER.search(text) or _EDGE_NUMBER.search(text) or _MIDDLE_NUMBER.search(text)
    part = None if chapter is None else int(next(group for group in chapter.groups() if group))
    if titles and (len(titles) > 1 or part is not None):
        whole = titles[-1].name
        author = titles[-2].name if len(titles) > 1 else None
        read = _book(whole, author)
        if len(titles) == 1 and chapter is not None:
            rest = trimmed(text[: chapter.start()])
            if rest and not alike(rest, whole) and " - " not in whole:
                read = _book(rest, whole)
        return SongName(read.title, read.year, part)
    return _book(stem, titles[-1].name if titles else None)


def _book(name: str, author: str | None) -> SongName:
    text, _ = without_tags(name)
    text = spaced(text)
    year = None
    left = _YEAR_LEFT.match(text)
    if left is not None:
        year, text = int(left[1]), text[left.end() :]
    found = _ALBUM_YEAR.search(text)
    if found is not None and year is None:
        year = int(next(group for group in found.groups() if group))
        text = text[: found.start()] + " " + text[found.end() :] if found.start() else text[found.end() :]
    text = _READER.sub("", _FORMAT.sub("", text))
    parts = [part for part in re.split(r"\s+[-–]\s+", text) if part.strip()]
    if author is not None and len(parts) > 1:
        parts = [part for part in parts if not alike(part, author)] or parts
    elif len(parts) > 1:
        parts = parts[1:]
    if len(parts) > 1:
        parts = [
            part
            for part in parts
            if not re.fullmatch(
                r"(?i)(?:(?:book|band|vol\.?|volume|tome|[^\d]+)\s*)?#?[0-9]{1,3}(?:\.[0-9])?", part.strip()
            )
        ] or parts
        parts = parts[-1:]
    title = trimmed(_VOLUME.sub("", " - ".join(parts)) or text)
    return SongName(title or trimmed(text) or name, year)
