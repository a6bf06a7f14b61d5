"""What a file may belong to by its name: pictures, subtitles and NFO files beside a film, an episode, an album or a book.
Whether such an item exists is decided elsewhere.

The names are those that media servers document for local artwork, external subtitles and NFO files.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from schemas.found import MediaType
from schemas.paths import display
from streams.core.path_names.folders import listed

Role = Literal["cover", "picture", "subtitle", "facts"]

_MOST_ENDINGS = 4
"""Number of words after a subtitle's name, as in `Film.en.forced.sdh.default.srt`."""


class BesideWords(Struct, frozen=True):
    """`covers`: names of pictures that are the cover of what is in their directory, the best first; `pictures`: names
    of other pictures that belong to it · `seasons`: regular expression for pictures of a season · `cover_endings`,
    `picture_endings`: such words after the name of a file and a hyphen or a dot · `facts`: names of NFO files about
    what is in their directory, and `facts_extensions` their extensions · `folders`: directories whose files belong to
    what is in the directory above · `languages`: a language's tag and its other spellings · `forced`, `sdh`: words in a
    subtitle's name, and `other_endings` other words there · `most`: how many files one picture may serve; in a
    directory with more it is not an album's cover."""

    covers: str
    pictures: str
    seasons: str
    cover_endings: str
    picture_endings: str
    facts: str
    facts_extensions: str
    folders: str
    languages: tuple[str, ...]
    forced: str
    sdh: str
    other_endings: str
    most: int


class SubtitleName(Struct, frozen=True, gc=False):
    """`language`: a tag, None if the name has none."""

    language: str | None
    forced: bool
    sdh: bool


class Belonging(Struct, frozen=True, gc=False):
    """`stems`: names, without extension, of the files to which it may belong, the likeliest first; `is_general`: else
    it belongs to everything in the directory · `depth`: how many directories up that is · `rank`: smaller is better
    among files of its kind · `is_bare`: a picture whose name differs only in the extension from what it would belong
    to."""

    role: Role
    stems: tuple[str, ...]
    is_general: bool
    depth: int = 0
    rank: int = 0
    is_bare: bool = False
    subtitle: SubtitleName | None = None


class BesideNames:
    """Reads by the words of some rules."""

    def __init__(self, words: BesideWords) -> None:
        self.most = words.most
        self._covers = {name: rank for rank, name in enumerate(words.covers.split())}
        self._pictures = listed(words.pictures)
        self._seasons = re.compile(words.seasons)
        self._cover_endings = {name: rank for rank, name in enumerate(words.cover_endings.split())}
        self._picture_endings = listed(words.picture_endings)
        self._facts = listed(words.facts)
        self._facts_extensions = listed(words.facts_extensions)
        self._folders = listed(words.folders)
        self._languages = {written: row.split()[0] for row in words.languages for written in row.split()}
        self._forced, self._sdh = listed(words.forced), listed(words.sdh)
        self._others = listed(words.other_endings)
        self.read = lru_cache(8_192)(self._read)
        """What a file of a media type may belong to, by its path; None if nothing."""

    def belongs_to_parent(self, directory: str) -> bool:
        """Whether the files of a directory belong to what is in its parent directory."""
        return display(directory.rpartition("/")[2]).casefold() in self._folders

    def _read(self, path: str, kind: MediaType) -> Belonging | None:
        directory, _, name = display(path).rpartition("/")
        stem, dot, extension = name.rpartition(".")
        if not dot or not stem:
            return None
        stem = stem.casefold()
        depth = 1 if self.belongs_to_parent(directory) else 0
        match kind:
            case "image":
                return self._picture(stem, depth)
            case "subtitle":
                stems, subtitle = self._subtitle(stem)
                return Belonging("subtitle", stems, is_general=depth > 0, depth=depth, subtitle=subtitle)
            case "other" if extension.lower() in self._facts_extensions:
                general = stem in self._facts
                return Belonging("facts", () if general else (stem,), is_general=general, depth=depth)
            case _:
                return None

    def _picture(self, stem: str, depth: int) -> Belonging | None:
        if stem in self._covers:
            return Belonging("cover", (), is_general=True, depth=depth, rank=self._covers[stem])
        if stem in self._pictures or self._seasons.fullmatch(stem) is not None:
            return Belonging("picture", (), is_general=True, depth=depth)
        for sign in "-.":
            before, _, ending = stem.rpartition(sign)
            if before and ending in self._cover_endings:
                return Belonging("cover", (before,), False, depth, self._cover_endings[ending])
            if before and ending.rstrip("0123456789") in self._picture_endings:
                return Belonging("picture", (before,), is_general=False, depth=depth)
        if depth:
            return Belonging("picture", (), is_general=True, depth=depth)
        return Belonging("cover", (stem,), is_general=False, rank=len(self._cover_endings), is_bare=True)

    def _subtitle(self, stem: str) -> tuple[tuple[str, ...], SubtitleName]:
        """`film.en.forced` may be one of `film.en.forced`, of `film.en`, of `film`."""
        stems, language, forced, sdh = [stem], None, False, False
        left = stem
        for _ in range(_MOST_ENDINGS):
            left, dot, ending = left.rpartition(".")
            if not dot or not left:
                break
            tag = self._language(ending)
            if ending in self._forced:
                forced = True
            elif tag is not None and language is None and not (ending in self._sdh and self._has_language(left)):
                language = tag
            elif ending in self._sdh:
                sdh = True
            elif tag is None and ending not in self._others and not ending.isdecimal():
                break
            stems.append(left)
        if language is None:  # `2_English.srt`, in a directory of subtitles
            language = self._language(stem.rpartition("_")[2])
        return tuple(stems), SubtitleName(language, forced, sdh)

    def _has_language(self, stem: str) -> bool:
        """`hi` is Hindi, unless a language is before it: then it means hearing-impaired."""
        return self._language(stem.rpartition(".")[2]) is not None

    def _language(self, word: str) -> str | None:
        tag, sign, region = word.partition("-")
        known = self._languages.get(tag)
        if known is None or not sign:
            return known
        return f"{known}-{region}" if 2 <= len(region) <= 4 and region.isalnum() else None


BESIDE_4 = BesideWords(
    covers="poster cover folder front movie show albumart albumartlarge album keyart",
    pictures=(
        "fanart backdrop background art banner logo clearlogo clearart landscape thumb disc discart cdart back"
        " albumartsmall artist characterart season-specials-poster season-all-poster inlay booklet inside"
    ),
    seasons=r"(?:season|staffel|saison|temporada)[ ._-]?[0-9]{1,3}(?:-(?:poster|banner|fanart|landscape|thumb))?",
    cover_endings="poster cover folder keyart thumb",
    picture_endings=(
        "fanart backdrop background banner logo clearlogo clearart landscape disc discart art back screenshot"
    ),
    facts="movie tvshow season album artist",
    facts_extensions="nfo",
    folders=(
        "subs subtitles subtitle sub vobsub untertitel sous-titres subtítulos subtitulos sottotitoli napisy субтитры"
        " artwork scans extrafanart extrathumbs"
    ),
    languages=(
        "af afr afrikaans", "ar ara arabic عربي", "bg bul bulgarian български", "bn ben bengali", "bs bos bosnian",
        "ca cat catalan català", "cs cze ces czech čeština", "cy wel cym welsh", "da dan danish dansk",
        "de ger deu german deutsch", "el gre ell greek ελληνικά", "en eng english", "es spa spanish español espanol",
        "et est estonian eesti", "eu baq eus basque euskara", "fa per fas persian farsi", "fi fin finnish suomi",
        "fil tagalog filipino", "fr fre fra french français francais", "ga gle irish", "gl glg galician galego",
        "he heb iw hebrew עברית", "hi hin hindi", "hr hrv scr croatian hrvatski", "hu hun hungarian magyar",
        "hy arm hye armenian", "id ind indonesian", "is ice isl icelandic íslenska", "it ita italian italiano",
        "ja jpn japanese 日本語", "ka geo kat georgian", "kk kaz kazakh", "kn kan kannada", "ko kor korean 한국어",
        "lt lit lithuanian lietuvių", "lv lav latvian latviešu", "mk mac mkd macedonian", "ml mal malayalam",
        "mr mar marathi", "ms may msa malay", "nb nob bokmål bokmal", "nl dut nld dutch nederlands flemish",
        "nn nno nynorsk", "no nor norwegian norsk", "pa pan punjabi", "pl pol polish polski",
        "pt por portuguese português portugues", "pt-br pob brazilian", "ro rum ron romanian română",
        "ru rus russian русский", "sk slo slk slovak slovenčina", "sl slv slovenian slovene slovenščina",
        "sq alb sqi albanian", "sr srp scc serbian српски", "sv swe swedish svenska", "sw swa swahili", "ta tam tamil",
        "te tel telugu", "th tha thai ไทย", "tr tur turkish türkçe turkce", "uk ukr ukrainian українська",
        "ur urd urdu", "vi vie vietnamese", "zh chi zho chinese chs cht 中文 简体 繁體",
    ),
    forced="forced foreign signs songs",
    sdh="sdh cc hi hoh captions",
    other_endings="default full und unknown commentary",
    most=300,
)  # fmt: skip
