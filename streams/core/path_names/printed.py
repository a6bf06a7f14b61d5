"""Books and comics by their names: title, year, the number in a series of comics."""

from __future__ import annotations

import re

from msgspec import Struct

from streams.core.path_names.folders import Folder
from streams.core.path_names.text import alike, spaced, trimmed, with_article, without_tags

_YEAR = re.compile(r"[(\[]\s*(1[4-9][0-9]{2}|20[0-9]{2})(?:-[0-9]{1,2})?\s*[)\]]")
_BRACKETS = re.compile(r"\s*[(\[{][^)\]}]*[)\]}]")
_SERIES = re.compile(
    r"(?i)^\s*(?:[^\d]{2,40}?[ ,]+)?(?:book|band|vol\.?|volume|tome|bd\.?|#)?\s*#?[0-9]{1,3}(?:\.[0-9])?\s*[-–:.]\s+(?=\S)"
)
_SERIES_ALONE = re.compile(r"(?i)^\s*[^\d]{0,40}?#?\s*[0-9]{1,3}(?:\.[0-9])?\s*$")
_PERSON = re.compile(
    r"^(?:[^\W\d_][\w.'’-]*\s+){1,3}(?:(?:de|van|von|le|la|du|of|der|den|ten|el|al|di|da)\s+){0,2}[^\W\d_][\w.'’-]*$"
)
_SORTED_PERSON = re.compile(r"^[^\W\d_][\w.'’ -]*,\s*[^\W\d_][\w.'’ -]*$")
_TITLE_WORD = re.compile(
    r"(?i)(?:^|\s)(?:the|a|an|of|and|in|on|to|for|with|from|und|im|des|et|y|e|w|z|&|\?|!)(?:\s|"
    r"$)|^(?:der|die|das|ein|eine|le|la|les|el|los|las|il)\s"
)
_YEAR_LAST = re.compile(r"\s[-–]\s((?:1[4-9]|20)[0-9]{2})\s*$")
_NUMBER_FIRST = re.compile(r"^[0-9]{1,3}\s+(?=[^\W\d])")
_VOLUME = re.compile(r"(?i)(?<![^\W_])(?:v|vol|volume|band|bd|tome|t|tomo)\.?[ ._]?([0-9]{1,3})(?![0-9])")
_CHAPTER = re.compile(
    r"(?i)(?<![^\W_])(?:c|ch|chap|chapter|kapitel|chapitre)\.?[ ._]?([0-9]{1,4})(?:\.[0-9])?(?![0-9])"
)
_EASTERN_VOLUME = re.compile(r"第\s*([0-9]{1,3})\s*[巻卷]")
_EASTERN_CHAPTER = re.compile(r"第?\s*([0-9]{1,4})\s*[話话回화]")
_ISSUE = re.compile(
    r"(?<![^\W_])#?([0-9]{1,4})(?:\.[0-9])?(?:\s*(?:of|\(of)\s*[0-9]{1,3}\)?)?(?=\s*(?:$|[(\[]|-\s|–\s))"
)


class PrintName(Struct, frozen=True):
    """`volume` and `number`: of a comic."""

    title: str
    year: int | None = None
    volume: int | None = None
    number: int | None = None


def book(stem: str, folders: list[Folder], articles: frozenset[str]) -> PrintName:
    """A book."""
    titles = [folder.name for folder in folders if folder.purpose == "title"]
    text, _ = without_tags(spaced(stem))
    year = _year(text) or next(filter(None, map(_year, reversed(titles))), None)
    text = trimmed(_BRACKETS.sub(" ", text)) or trimmed(text)
    if year is None and (last := _YEAR_LAST.search(text)) is not None:
        year, text = int(last[1]), text[: last.start()]
    if len(titles) > 1:
        text = _NUMBER_FIRST.sub("", text)
    parts = [part.strip() for part in re.split(r"\s+[-–]\s+", text) if part.strip()]
    if len(parts) > 1:
        parts = _without_author(parts, titles)
    if len(parts) > 1:
        parts = [part for part in parts if not _SERIES_ALONE.match(part)] or parts
    joined = " - ".join(parts)
    title = trimmed(_SERIES.sub("", joined)) or joined
    return PrintName(with_article(title, articles) or stem, year)


def _without_author(parts: list[str], titles: list[str]) -> list[str]:
    known = [part for part in parts if not any(_is_author(part, title) for title in titles[:-1] or titles)]
    bare_titles = [trimmed(_BRACKETS.sub(" ", title)) for title in titles]
    if any(alike(parts[0], title) for title in bare_titles[1:]):
        return parts[:1]
    if len(known) < len(parts):
        return known or parts
    first, last = parts[0], parts[-1]
    if _is_person(last) and not _is_person(first):
        return parts[:-1]
    if len(parts) > 1 and (_is_person(first) or not _is_person(last)):
        return parts[1:]
    return parts[1:]


def _is_author(part: str, folder: str) -> bool:
    if alike(part, folder):
        return True
    names = [name for name in re.split(r"[,\s]+", folder.casefold()) if name]
    return len(names) > 1 and sorted(names) == sorted(re.split(r"[,\s]+", part.casefold()))


def _is_person(text: str) -> bool:
    if _SORTED_PERSON.match(text):
        return True
    return _PERSON.match(text) is not None and _TITLE_WORD.search(text) is None


def _year(text: str) -> int | None:
    found = _YEAR.search(text)
    return None if found is None else int(found[1])


def comic(stem: str, folders: list[Folder], articles: frozenset[str]) -> PrintName:
    """A comic, or a volume or chapter of one."""
    titles = [folder.name for folder in folders if folder.purpose in ("title",)]
    text, _ = without_tags(spaced(stem))
    year = _year(text)
    text = re.sub(r"^\s*\[[^\]]*\]\s*(?=\S)", "", text)
    volume = _VOLUME.search(text) or _EASTERN_VOLUME.search(text)
    chapter = _CHAPTER.search(text) or _EASTERN_CHAPTER.search(text)
    starts = [found.start() for found in (volume, chapter) if found is not None]
    number = None if chapter is None else int(chapter[1])
    issue = None if chapter is not None else _ISSUE.search(text, 0 if text[:1].isdigit() else 1)
    if issue is not None and (volume is None or issue.start() >= volume.end()):
        number = int(issue[1])
        starts.append(issue.start())
    bracket = _BRACKETS.search(text)
    if bracket is not None and bracket.start() > 0:
        starts.append(bracket.start())
    title = trimmed(text[: min(starts)] if starts else text)
    if not title and titles:
        title = trimmed(_BRACKETS.sub(" ", titles[-1]))
    if year is None and titles:
        year = _year(titles[-1])
    return PrintName(
        with_article(title, articles) or stem, year, None if volume is None else int(volume[1]), number
    )
