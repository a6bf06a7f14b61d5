"""An episode's number in a name: season and episode, several of them, a day, a number alone."""

from __future__ import annotations

import re

from msgspec import Struct

from streams.core.path_names.folders import any_of
from streams.core.path_names.text import day_of
from streams.core.path_names.words import MorePathWords, PathWords

_BEFORE = r"(?<![^\W_])"
_CODED = re.compile(
    _BEFORE + r"(?i:[st](?P<season>[0-9]{1,4})[ ._-]{0,3}(?:ep?|f|x)[ ._-]?(?P<episode>[0-9]{1,4})(?![0-9]))"
    r"(?P<more>(?:[ ._]?[-–~&+,]?[ ._]?(?:[sS][0-9]{1,2}[ ._]?)?[eE][pP]?[0-9]{1,4}(?![0-9])|"
    r"[-–~+&][0-9]{1,3}(?![0-9pPiIxX]))*)"
)
_CROSSED = re.compile(
    r"(?<![^\W_])(?P<season>[0-9]{1,2})[xX](?P<episode>[0-9]{2,3})(?![0-9])(?P<more>(?:[xX][0-9]{2,3}(?![0-9])|"
    r"-?[0-9]{1,2}[xX][0-9]{2,3}(?![0-9])|[ ._]?[-–~&+,][ ._]?[0-9]{1,2}[xX][0-9]{2,3}(?![0-9])|"
    r"[-–~+&][xX]?[0-9]{2,3}(?![0-9pP]))*)"
)
_PADDED = re.compile(
    r"(?<![^\W_])(?:[eE][pP]?(?P<episode>[0-9]{2,4})(?P<more>(?:-?[eE][0-9]{2,4})*)|"
    r"(?i:part|episode|folge)[ ._](?P<word>0[0-9]))(?![^\W_])"
)
"""A padded number: parts of films are not numbered so."""

_DATED = re.compile(
    r"(?<![0-9])(?P<year>(?:19|20)[0-9]{2})[-._ ](?P<month>[01]?[0-9])[-._ ](?P<day>[0-3]?[0-9])(?![0-9])"
)
_DATED_BACK = re.compile(
    r"(?<![0-9])(?P<day>[0-3][0-9])[-._ ](?P<month>[01][0-9])[-._ ](?P<year>(?:19|20)[0-9]{2})(?![0-9])"
)
_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec",
    "januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember",
    "january|february|march|april|may|june|july|august|september|october|november|december",
)
_MONTH = "|".join("|".join(row.split("|")) for row in reversed(_MONTHS))
_DATED_IN_WORDS = re.compile(
    rf"(?i)(?<![^\W_])(?:(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?[. ]+(?P<month>{_MONTH})[a-z]*|"
    rf"(?P<month_first>{_MONTH})[a-z]*[. ]+(?P<day_behind>[0-3]?[0-9])(?:st|nd|rd|th)?)[., ]+(?P<year>(?:19|"
    rf"20)[0-9]{{2}})(?![0-9])"
)
_NUMBER_WORDS = {
    word: number
    for row in (
        "one two three four five six seven eight nine ten eleven twelve",
        "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    )
    for number, word in enumerate(row.split(), 1)
}
_DATED_WHOLE = re.compile(r"(?<![0-9])(?P<year>(?:19|20)[0-9]{2})(?P<month>[01][0-9])(?P<day>[0-3][0-9])(?![0-9])")
_SHORT_DATE = re.compile(r"(?<![0-9])(?P<year>[0-9]{2})(?P<month>0[1-9]|1[0-2])(?P<day>[0-3][0-9])(?![0-9])")
_IN_BRACKETS = re.compile(r"(?<=\S)\s*[\[【](?P<episode>[0-9]{1,4})(?:v[0-9]|\s*END)?[\]】]")
_OF_SEASON = re.compile(r"^\s*(?P<season>[0-9]{1,2})\.(?P<episode>[0-9]{2})(?=$|[\s._-])")
_EASTERN = re.compile(r"第\s*(?P<episode>[0-9]{1,4})\s*[話话集回]|(?P<korean>[0-9]{1,4})\s*[화회]")
_OF = re.compile(
    r"(?i)(?<![^\W_])(?:part[ ._]?)?(?P<episode>[0-9]{1,2})[ ._]?(?:of|von|de|z|sur|di|из)[ ._]?[0-9]{1,2}(?![^\W_])"
)
_ABSOLUTE = re.compile(
    r"(?:^|(?<=[\s_])[-–]|(?<=\s)#)[\s_]*(?P<episode>[0-9]{1,4})(?P<more>-[0-9]{1,4})?(?:v[0-9])?(?=\s*(?:$|"
    r"[\[(【]|-|_|(?:END|FINAL)\b))"
)
_LAST_NUMBER = re.compile(
    r"(?<=[\s._])(?P<episode>[0-9]{2,4})(?P<more>-[0-9]{2,4})?(?:v[0-9])?(?=\s*(?:$|[\[(【]))"
)
_LEADING = re.compile(r"^[\s#]*(?P<episode>[0-9]{1,4})(?P<more>-[0-9]{1,3})?(?:v[0-9])?(?=$|[\s._)-])")
_NUMBERS = re.compile(r"[0-9]{1,4}")


class EpisodeName(Struct, frozen=True):
    """`start` and `end`: its position in the name."""

    start: int
    end: int
    season: int | None = None
    episode: int | None = None
    last: int | None = None
    date: str | None = None


class Episodes:
    """Reads by the words of some rules."""

    def __init__(self, words: PathWords) -> None:
        either, seasons = any_of(words.episode), any_of(words.season)
        more = words if isinstance(words, MorePathWords) else None
        self._several = () if more is None else tuple(map(re.compile, more.several))
        self._anywhere = () if more is None else tuple(map(re.compile, more.anywhere))
        self._special = None if more is None else re.compile(more.special)
        self._in_show = () if more is None else tuple(map(re.compile, more.in_show))
        self._in_season = () if more is None else tuple(map(re.compile, more.in_season))
        self._worded = re.compile(
            rf"(?i)(?<![^\W_])(?:{seasons})[ ._-]*(?P<season>[0-9]{{1,2}})[ ._,-]*"
            rf"(?:{either})\.?[ ._-]*(?P<episode>[0-9]{{1,4}})(?![0-9])"
        )
        self._named = re.compile(
            rf"(?i)(?<![^\W_])(?:(?:{either})\.?[ ._-]*|[ex](?=[0-9]{{2}}))(?P<episode>[0-9]{{1,4}})(?![0-9])"
            rf"(?P<more>(?:[ ._]?-[ ._]?e?[0-9]{{1,3}}(?![0-9]))*)"
        )
        self._counted = re.compile(
            rf"(?i)(?<![^\W_])(?P<episode>[0-9]{{1,4}})\.?[ ._]{{0,2}}(?:{either})(?![^\W_])"
        )
        self._part = re.compile(
            r"(?i)(?<![^\W_])(?:part|pt|teil|partie|parte|část|osa|rész|deel|del)[ ._-]?(?P<episode>[0-9]{1,2}|"
            r"[ivx]{1,4}|"
            + "|".join(_NUMBER_WORDS) + r")(?![^\W_])"
        )  # fmt: skip

    def plain(self, text: str, *, in_films: bool = False) -> EpisodeName | None:
        """An episode's number that is unambiguous in any folder; `in_films`: the file is among films."""
        for pattern in (*self._several, _CODED, _CROSSED, self._worded, _PADDED):
            if (found := pattern.search(text)) is not None:
                return _numbered(found)
        counted = _OF.search(text)
        if counted is not None and "of" in counted[0].casefold():
            return _numbered(counted)
        anywhere = () if in_films else self._anywhere
        return next((_numbered(found) for one in anywhere if (found := one.search(text)) is not None), None)

    def dated(self, text: str) -> EpisodeName | None:
        """A day."""
        for pattern in (_DATED, _DATED_BACK, _DATED_WHOLE):
            for found in pattern.finditer(text):
                if (day := day_of(found["year"], found["month"], found["day"])) is not None:
                    return EpisodeName(found.start(), found.end(), date=day)
        worded = _DATED_IN_WORDS.search(text)
        if worded is None:
            return None
        name = (worded["month"] or worded["month_first"]).casefold()
        month = next(row.split("|").index(name) + 1 for row in _MONTHS if name in row.split("|"))
        day = day_of(worded["year"], month, worded["day"] or worded["day_behind"])
        return None if day is None else EpisodeName(worded.start(), worded.end(), date=day)

    def within(self, text: str, season: int | None, *, absolute: bool) -> EpisodeName | None:
        """A number that is an episode's because the file is among episodes: in the folder of a season, or of a show.
        `absolute`: the show numbers its episodes across seasons."""
        if season == 0 and self._special is not None and (found := self._special.search(text)) is not None:
            return _numbered(found)
        for pattern in (*self._in_show, *(() if season is None else self._in_season)):
            found = pattern.search(text)
            if found is not None and season in (None, int(found.groupdict().get("season") or season or 0)):
                return _numbered(found)
        for pattern in (_EASTERN, self._named, self._counted, _OF, self._part):
            if (found := pattern.search(text)) is not None:
                return _numbered(found)
        of_season = _OF_SEASON.match(text)
        if of_season is not None and int(of_season["season"]) == season:
            return _numbered(of_season)
        leading, behind = _LEADING.match(text), _last(_ABSOLUTE, text) or _LAST_NUMBER.search(text)
        found = (behind or leading or _last(_IN_BRACKETS, text)) if absolute else (leading or behind)
        if found is None:
            return None
        number = found["episode"]
        if season is not None and not absolute and len(number) >= 3 and int(number[:-2]) == season:
            return EpisodeName(found.start(), found.end(), season, int(number[-2:]))
        return _numbered(found)

    def short_day(self, text: str) -> str | None:
        """Six digits next to an episode's number: a day of this century."""
        days = (day_of(f"20{found['year']}", found["month"], found["day"]) for found in _SHORT_DATE.finditer(text))
        return next((day for day in days if day is not None), None)


def _numbered(found: re.Match[str]) -> EpisodeName:
    groups = found.groupdict()
    spelling = groups.get("episode") or groups.get("korean") or groups.get("word") or "0"
    episode = int(spelling) if spelling.isdigit() else _NUMBER_WORDS.get(spelling.casefold()) or _roman(spelling)
    season = groups.get("season")
    more = _NUMBERS.findall(groups.get("more") or "")
    last = int(more[-1]) if more else None
    return EpisodeName(
        found.start(), found.end(), None if season is None else int(season), episode,
        last if last is not None and last > episode else None,
    )  # fmt: skip


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return max(pattern.finditer(text), key=lambda found: found.start(), default=None)


def _roman(text: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10}[sign] for sign in text.casefold()]
    return sum(-one if one < max(values[at + 1 :], default=0) else one for at, one in enumerate(values))
