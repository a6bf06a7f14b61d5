"""A film's name: its title, year, edition and part, up to the first word that belongs to a release name."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from streams.core.path_names.folders import listed
from streams.core.path_names.text import plain, trimmed, undotted, with_article, without_tags
from streams.core.path_names.words import PathWords

_YEAR = re.compile(r"(?<![0-9])(?<![0-9][xX×])(1[89][0-9]{2}|20[0-9]{2})(?![0-9]|[pPi](?![a-z])|[xX×][0-9])")
_BRACKETED = re.compile(r"[(\[{]\s*(1[89][0-9]{2}|20[0-9]{2})\s*[)\]}]")
_PART = re.compile(
    r"(?i)(?<![^\W_])(?:cd|dvd|disc|disk|pt|part|teil|partie)[ ._-]?([1-9]|1[0-9]|[a-d]|i{1,3}|"
    r"iv)(?: ?(?:of|von|-) ?[0-9])?$"
)
_SURE_PART = re.compile(
    r"(?i)(?<![^\W_])(?:(?:cd|disc|disk|pt)[ ._-]?([1-9]|1[0-9]|[a-d])|dvd[ ._-]?([1-4]))(?![^\W_])"
)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_FIRST_YEAR = re.compile(r"(1[89][0-9]{2}|20[0-9]{2})\s+[-–]\s+(?=\S)")
_GROUP = re.compile(r"^\s*[\[【(]([^\])】]*)[\])】]\s*(?=\S)")


class FilmName(Struct, frozen=True):
    """`is_release`: it has words that only releases have."""

    title: str
    year: int | None = None
    edition: str | None = None
    part: int | None = None
    is_release: bool = False


class Films:
    """Reads by the words of some rules."""

    def __init__(self, words: PathWords) -> None:
        edge = r"(?<![^\W_])(?:%s)(?![^\W_])"
        self._release = re.compile("(?i)" + edge % words.release)
        self._beside = re.compile("(?i)(?:^|" + r"(?<=[\s.(\[{_-]))" + words.release_too + r"[\s.)\]}_-]*$")
        behind = rf"\s*[)\]}}]?[\s.,_-]*(?:$|[(\[{{]|(?:{words.release}|{words.release_too}|{words.editions})(?![^\W_]))"
        self._behind_year = re.compile("(?i)" + behind)
        self._edition = re.compile("(?i)" + edge % words.editions)
        self._articles = listed(words.articles)
        self._last_year = words.last_year
        self.folder = lru_cache(2_048)(self.read)
        """As `read`, for a folder; cached, because it is called for each of its files."""

    def read(self, name: str) -> FilmName:
        """A name without its extension, or a folder's."""
        text, edition = without_tags(plain(name))
        text = text.replace("_", " ")
        if " " not in text.strip() or (text.count(".") >= 4 and text.count(" ") <= 2):
            text = undotted(text)
        text = " ".join(text.split())
        year, start, end = self._year(text)
        if start == 0:
            text, start, end = text[end:].lstrip(" -–."), None, 0
        release = self._release_at(text, start, end)
        is_release = release is not None
        stop = min(at for at in (start, release, len(text)) if at is not None)
        head, tail = text[:stop], text[stop if start is None else end :]
        if edition is None:
            head, edition = self._edition_in(head, tail)
        part, head = self._part_in(head, tail, year)
        title = with_article(trimmed(head), self._articles)
        if not title and year is not None and not is_release:
            return FilmName(str(year), None, edition, part, is_release)
        return FilmName(title or trimmed(text), year, edition, part, is_release)

    def _year(self, text: str) -> tuple[int | None, int | None, int]:
        """The year and its position: first one in brackets, else one that is followed by nothing of a title, else the
        last. A year before everything, in brackets or followed by a dash, is used only if there is no other."""
        bracketed = [found for found in _BRACKETED.finditer(text) if int(found[1]) <= self._last_year]
        behind = [found for found in bracketed if found.start() > 0]
        if behind:
            return int(behind[-1][1]), behind[-1].start(), behind[-1].end()
        release = self._release.search(text, 1)
        stop = len(text) if release is None else release.start()
        begin = bracketed[0].end() if bracketed else 0
        found_all = [found for found in _YEAR.finditer(text, begin) if int(found[1]) <= self._last_year]
        plain_ones = [found for found in found_all if 0 < found.start() <= stop]
        ending = [found for found in plain_ones if self._behind_year.match(text, found.end())]
        chosen = ending[-1] if ending else plain_ones[-1] if plain_ones else None
        if chosen is not None:
            return int(chosen[1]), chosen.start(), chosen.end()
        if bracketed and text[bracketed[0].end() :].strip():
            return int(bracketed[0][1]), 0, bracketed[0].end()
        first = _FIRST_YEAR.match(text)
        if first is not None and int(first[1]) <= self._last_year:
            return int(first[1]), 0, first.end()
        return None, None, 0

    def _release_at(self, text: str, start: int | None, end: int) -> int | None:
        """Where the words of a release name begin, including words before them that belong to it."""
        found = self._release.search(text, max(1, end if start is not None else 1))
        if found is None:
            return None
        at = found.start()
        while at > 1 and (before := self._beside.search(text[:at])) is not None and before.start() > 0:
            at = before.start()
        return at

    def cut(self, text: str) -> str:
        """The text before the words of a release name."""
        at = self._release_at(text, None, 0)
        return text if at is None else text[:at]

    def _edition_in(self, head: str, tail: str) -> tuple[str, str | None]:
        found = self._edition.search(tail)
        if found is not None:
            return head, trimmed(found[0])
        last = max(self._edition.finditer(head), key=lambda found: found.start(), default=None)
        if last is None or not trimmed(head[: last.start()]) or trimmed(head[last.end() :]):
            return head, None
        bracketed = head[: last.start()].rstrip().endswith(("(", "[", "{", "-", "–"))
        long = " " in last[0] or "-" in last[0]
        if not (bracketed or long):
            return head, None
        return head[: last.start()], trimmed(last[0])

    def _part_in(self, head: str, tail: str, year: int | None) -> tuple[int | None, str]:
        sure = _SURE_PART.search(tail) or (
            _PART.search(trimmed(self._before_release(tail))) if year is not None else None
        )
        if sure is not None:
            return _number(next(group for group in sure.groups() if group)), head
        text = trimmed(head)
        last = _SURE_PART.search(text)
        if last is not None and last.start() > 0 and not text[last.end() :].strip(" )]}-"):
            return _number(next(group for group in last.groups() if group)), text[: last.start()]
        return None, head

    def _before_release(self, text: str) -> str:
        found = self._release.search(text)
        return text if found is None else text[: found.start()]


def without_group(text: str) -> str:
    """The text without a release group in brackets before the name."""
    found = _GROUP.match(text)
    return text if found is None or not text[found.end() :].strip() else text[found.end() :]


def _number(text: str) -> int:
    folded = text.casefold()
    if folded.isdigit():
        return int(folded)
    return _ROMAN.get(folded, ord(folded[0]) - ord("a") + 1)
