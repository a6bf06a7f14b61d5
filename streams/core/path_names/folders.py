"""What each folder above a file is for, by its name alone: it contains films or shows, is a season, a disc, a place for
extras, nothing in particular; or it is the title of something."""

from __future__ import annotations

import re
from typing import Literal, get_args

from msgspec import Struct

from streams.core.path_names.text import spaced
from streams.core.path_names.words import MorePathWords, PathWords

Contents = Literal["films", "shows", "anime", "home", "music", "audiobooks", "books", "comics", "photos"]
Purpose = Literal["library", "holding", "season", "extras", "disc", "structure", "title"]

_STRUCTURE = frozenset(
    {
        "bdmv", "stream", "video_ts", "video ts", "audio_ts", "hvdvd_ts", "private", "avchd", "mp_root", "avchdts",
        "playlist", "clipinf", "certificate",
    }
)  # fmt: skip
_DISC = re.compile(r"(?i)(?:.*[ ._-])?(?:cd|dvd|disc|disk|disque|cdrom)[ ._-]?([0-9]{1,2}|[a-d])(?:[ ._-].*)?")
_LETTERS = re.compile(
    r"(?i)[a-z#]|[a-z]-[a-z]|0-9|[0-9]{3}0'?s|[0-9]0s|(?:18|19|20)[0-9]{2}(?:-(?:18|19|20)?[0-9]{2})?"
)
_SHORT_SEASON = re.compile(r"(?i)s ?([0-9]{1,2})")
_EASTERN_SEASON = re.compile(
    r"第\s*([0-9一二三四五六七八九十]+)\s*[季期部]|(?:시즌|シーズン)\s*([0-9]+)|([0-9]+)\s*기"
)
_HAN = {sign: number for number, sign in enumerate("一二三四五六七八九十", 1)}
_SHOW_AND_SEASON = re.compile(
    r"(?i).*[ ._-](?:s|season[ ._]?|staffel[ ._]?|saison[ ._]?|series[ ._]?)([0-9]{1,2})(?:e[0-9]+)?(?:[ ._-].*)?"
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
YEAR_IN = re.compile(
    r"(?i)(?:photos|fotos|photos from|fotos von|photos de|bilder|videos)?(?: (?:from|von|de|"
    r"aus))?\s*((?:18|19|20)[0-9]{2})"
)


class Folder(Struct, frozen=True, gc=False):
    """One folder. `contents`: what a library folder contains; `number`: of a season or disc; `category`: of the files
    in a folder for extras."""

    name: str
    purpose: Purpose
    contents: Contents | None = None
    number: int | None = None
    category: str | None = None


def listed(words: str) -> frozenset[str]:
    """The words of a list in the rules."""
    return frozenset(word.replace("+", " ") for word in words.split())


def any_of(words: str) -> str:
    """A list in the rules as alternatives of a regular expression, the longest first."""
    return "|".join(re.escape(word) for word in sorted(listed(words), key=len, reverse=True))


class Folders:
    """Classifies folders by the words of some rules."""

    def __init__(self, words: PathWords) -> None:
        self._libraries: dict[str, Contents] = {}
        for contents in reversed(get_args(Contents)):
            self._libraries |= dict.fromkeys(listed(getattr(words, contents)), contents)
        self._holding = listed(words.holding) | listed(words.genres)
        self._specials = listed(words.specials)
        self._extras = {name: category for category, row in words.extras for name in listed(row)}
        season = any_of(words.season)
        more = words if isinstance(words, MorePathWords) else None
        self._season_folder = None if more is None else re.compile(more.season_folder)
        self._seasons_folder = None if more is None else re.compile(more.seasons_folder)
        self._numbers = {
            word: number
            for row in (() if more is None else more.numbers)
            for number, word in enumerate(row.split(), 1)
        }
        either = "|".join(sorted(map(re.escape, self._numbers), key=len, reverse=True)) or "(?!)"
        self._spelt = re.compile(rf"(?i)(?:(?:{season}) (?P<behind>{either})|(?P<before>{either}) (?:{season}))")
        self._season = re.compile(rf"(?i)(?:(?P<show>.+?)[ ._-]+)?(?:{season})[ ._-]*(?P<number>[0-9]{{1,4}})\b.*")
        self._counted = re.compile(rf"(?i)(?P<number>[0-9]{{1,2}})[.ªºaè]*[ ._-]*(?:{season})")

    def read(self, parts: list[str]) -> list[Folder]:
        """The folders of a path, from the root on."""
        found: list[Folder] = []
        for part in parts:
            found.append(self._one(part, found))
        return found

    def _one(self, name: str, above: list[Folder]) -> Folder:
        text = spaced(name).casefold()
        titled = any(folder.purpose in ("title", "season") for folder in above)
        if text in _STRUCTURE:
            return Folder(name, "structure")
        if titled and (category := self._extras.get(text)) is not None:
            return Folder(name, "extras", category=category)
        if text in self._specials and (titled or any(char.isdigit() for char in text)):
            return Folder(name, "season", number=0)
        in_show = (
            bool(above)
            and above[-1].purpose == "title"
            and any(one.contents in ("shows", "anime") for one in above)
        )
        if (number := self._season_of(name, titled=titled, in_show=in_show)) is not None:
            return Folder(name, "season", number=number)
        if in_show and self._seasons_folder is not None and self._seasons_folder.fullmatch(name) is not None:
            return Folder(name, "holding")
        if titled and (disc := _DISC.fullmatch(name)) is not None:
            return Folder(name, "disc", number=_disc(disc[1]))
        if not titled and (contents := self._libraries.get(text)) is not None:
            return Folder(name, "library", contents)
        is_year = _YEAR.fullmatch(name) is not None
        if (
            (text in self._holding and not titled)
            or (titled and is_year)
            or (not titled and _LETTERS.fullmatch(name) is not None)
        ):
            return Folder(name, "holding", number=int(name) if is_year else None)
        if not titled and (year := YEAR_IN.fullmatch(text)) is not None:
            return Folder(name, "holding", number=int(year[1]))
        return Folder(name, "title")

    def _season_of(self, name: str, *, titled: bool, in_show: bool) -> int | None:
        text = spaced(name)
        eastern = _EASTERN_SEASON.search(text)
        if eastern is not None:
            digits = next(group for group in eastern.groups() if group)
            return int(digits) if digits.isdigit() else _HAN.get(digits)
        found = self._season.fullmatch(text) or self._counted.fullmatch(text)
        if found is not None and (titled or not found.groupdict().get("show")):
            return int(found["number"])
        if titled and (spelt := self._spelt.fullmatch(text)) is not None:
            return self._numbers[(spelt["behind"] or spelt["before"]).casefold()]
        if (
            self._season_folder is not None
            and in_show
            and (alone := self._season_folder.fullmatch(text)) is not None
        ):
            return int(alone["number"] or alone["short"])
        short = _SHORT_SEASON.fullmatch(text)
        if short is not None and titled:
            return int(short[1])
        return None


def season_in(name: str) -> int | None:
    """The season in the name of a folder that is a show and a season at once: `Show.S02.1080p`."""
    found = _SHOW_AND_SEASON.fullmatch(name)
    return None if found is None else int(found[1])


def _disc(text: str) -> int:
    return int(text) if text.isdigit() else ord(text.casefold()) - ord("a") + 1
