"""Reads a path: which kind of item it is, and how its name is read accordingly.

Precedence: the structure of a disc over a name; a camera's name over all folders; a folder for extras over the name; an
episode's number over a year; a folder over a name that is shorter, in worse case or uninformative.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from schemas.found import MediaType
from schemas.paths import display
from streams.core.path_names import camera, makers, music, printed
from streams.core.path_names.episode import EpisodeName, Episodes
from streams.core.path_names.film import FilmName, Films, without_group
from streams.core.path_names.folders import Folder, Folders, listed, season_in
from streams.core.path_names.makers import NOBODY, Makers
from streams.core.path_names.text import alike, bare, better_cased, spaced, trimmed, without_tags
from streams.core.path_names.words import MorePathWords, PathWords

_CREDITLESS = re.compile(
    r"(?i)(?<![^\W_])(?:nc(?:op|ed)[0-9a-z]*|creditless[ ._-](?:opening|ending|op|ed)[0-9]*|"
    r"menu[0-9]*|pv[0-9]*|cm[0-9]+)(?![^\W_])"
)
_OVA = re.compile(r"(?i)(?<![^\W_])(?:ovas?|oad|ona|sp|special)[ ._-]*(?P<episode>[0-9]{1,3})?(?![^\W_])")
_AFTER_SEASON = re.compile(
    r"(?i)[ ._-]+(?:s[0-9]{1,2}(?:[ ._]?e[0-9]{1,3})*(?:[ -]+s?[0-9]{1,2})?|[0-9]{1,2}x[0-9]{2}|"
    r"series[ ._][0-9]{1,2}|season[ ._]?[0-9]{1,2}|staffel[ ._]?[0-9]{1,2}|saison[ ._]?[0-9]{1,2})(?![^\W_]).*$"
)
_ORDINAL_SEASON = re.compile(r"(?i)[ ._-]+(?:(?P<ordinal>[2-9])(?:nd|rd|th) season|s(?P<short>[2-9]))\s*$")
_SEASON = re.compile(r"(?i)(?<![^\W_])(?:season|staffel|saison|s)[ ._]?([0-9]{1,2})(?![^\W_])")
_IN_OWN_BRACKETS = re.compile(r"^\s*\[([^\]]+)\]\s*$")
_MEANINGLESS = re.compile(r"(?i)[0-9a-f]{16,}")
_RELEASE_GROUP = re.compile(r"-([A-Za-z0-9]+)$")
_COMICS = frozenset({"cbz", "cbr", "cb7", "cbt"})
_DISC_IMAGES = frozenset({"iso", "img", "nrg", "bdmv", "mpls", "clpi", "ifo", "bup"})
_READ_ALOUD = frozenset({"m4b", "aax", "aa"})


class PathName(Struct, frozen=True):
    """What is read from a path. `title` of an episode is its show's, of an extra that of the item it belongs to;
    `last_episode`: of a file with several; `date`: YYYY-MM-DD; `part`: of a film, or the chapter of a book; `makers`:
    from its folders."""

    title: str
    category: str | None = None
    year: int | None = None
    season: int | None = None
    episode: int | None = None
    last_episode: int | None = None
    date: str | None = None
    part: int | None = None
    edition: str | None = None
    makers: Makers = NOBODY


def _year_of(folders: list[Folder]) -> int | None:
    """The year of a folder that is named by a year."""
    return next(
        (folder.number for folder in reversed(folders) if folder.purpose == "holding" and folder.number), None
    )


def _has_bracketed(text: str, year: int) -> bool:
    return re.search(rf"[(\[{{]\s*{year}\s*[)\]}}]", text) is not None


class PathReader:
    """Reads by the words of some rules."""

    def __init__(self, words: PathWords) -> None:
        self._folders = Folders(words)
        self._films = Films(words)
        self._episodes = Episodes(words)
        self._nameless = listed(words.nameless)
        self._articles = listed(words.articles)
        self._extras = {ending: category for category, row in words.endings for ending in listed(row)}
        either = "|".join(re.escape(ending) for ending in sorted(self._extras, key=len, reverse=True))
        self._ending = re.compile(rf"(?i)(?:[-._]\s?|\s-\s|\s?\(|\s(?=trailer|teaser|sample))({either})[0-9]?\)?$")
        self._beginning = re.compile(r"^(sample|trailer)(?:-|[._](?=[a-z0-9]))(?=\S)")
        self._behind_year = re.compile(
            r"(?i)(?:19|20)[0-9]{2}[)\]]?[ ._-]+(?:official[ ._-]+)?(trailer|teaser|sample)(?![^\W_])"
        )
        self._various = listed(words.various)
        more = words if isinstance(words, MorePathWords) else None
        self._whole = None if more is None else re.compile(more.whole)
        self._makers = more is not None and more.makers
        self._reads_on = more is not None and more.title_behind
        self._folder_of = lru_cache(2_048)(self._read_folders)

    def _read_folders(self, directory: str) -> list[Folder]:
        return self._folders.read([part for part in directory.split("/") if part])

    def is_season(self, directory: str) -> bool:
        """Whether a directory below its root is the directory of a season."""
        folders = self._folder_of(display(directory))
        return bool(folders) and folders[-1].purpose == "season"

    def read(self, path: str, kind: MediaType) -> PathName:
        """A path below its root."""
        directory, _, name = display(path).rpartition("/")
        stem, dot, extension = name.rpartition(".")
        stem, extension = (stem, extension.lower()) if dot and stem else (name, "")
        folders = self._folder_of(directory)
        contents = next((folder.contents for folder in reversed(folders) if folder.contents is not None), None)
        match kind:
            case "video" | "subtitle":
                return self._video(stem, extension, folders, contents)
            case "audio":
                return self._audio(stem, extension, folders, contents)
            case "image":
                return self._photo(stem, folders)
            case "book":
                return self._book(stem, extension, folders, contents)
            case _ if extension in _DISC_IMAGES:
                read = self._video(stem, extension, folders, contents)
                return read if read.category is not None else PathName(trimmed(spaced(stem)) or stem)
            case _:
                return PathName(trimmed(spaced(stem)) or stem)

    # -- video -------------------------------------------------------------------------------------------------

    def _video(self, stem: str, extension: str, folders: list[Folder], contents: str | None) -> PathName:
        titles = [folder for folder in folders if folder.purpose == "title"]
        if camera.is_from_camera(stem, extension):
            in_structure = any(folder.purpose == "structure" for folder in folders)
            if not (in_structure and titles and contents != "home" and extension not in ("mts",)):
                return self._recorded(stem, stem, folders)
        if any(folder.purpose == "structure" for folder in folders) and titles:
            return self._on_disc(folders, titles, contents)
        extra = self._extra(stem, folders, titles, contents)
        if extra is not None:
            return extra
        if contents == "home":
            return self._home(stem, folders)
        return self._film_or_episode(stem, folders, titles, contents)

    def _recorded(self, title: str, stem: str, folders: list[Folder]) -> PathName:
        day = camera.day_in(stem)
        return PathName(title, "home_video", _year_of(folders) if day is None else int(day[:4]), date=day)

    def _home(self, stem: str, folders: list[Folder]) -> PathName:
        text = spaced(stem)
        day = camera.day_in(text)
        if day is not None:
            rest = trimmed(re.sub(r"(?:19|20)[0-9]{2}[-._ ]?[01][0-9][-._ ]?[0-3][0-9]", " ", text, count=1))
            return PathName(rest or text, "home_video", int(day[:4]), date=day)
        found = self._films.read(stem)
        title = found.title if found.year is not None else trimmed(text)
        return PathName(title or text, "home_video", found.year)

    def _on_disc(self, folders: list[Folder], titles: list[Folder], contents: str | None) -> PathName:
        """A disc: it is named by the folder above its structure."""
        name = self._films.folder(titles[-1].name)
        part = next((folder.number for folder in folders if folder.purpose == "disc"), name.part)
        season = next(
            (folder.number for folder in folders if folder.purpose == "season"), season_in(titles[-1].name)
        )
        if season is not None or contents in ("shows", "anime"):
            show = self._show(titles, folders)
            return PathName(show.title, "tv_show", show.year, season)
        return PathName(name.title, "movie", name.year, part=part, edition=name.edition)

    def _extra(
        self, stem: str, folders: list[Folder], titles: list[Folder], contents: str | None
    ) -> PathName | None:
        place = next((folder for folder in folders if folder.purpose == "extras"), None)
        ending = self._ending.search(stem)
        beginning = self._beginning.match(stem)
        whole = self._extras.get(spaced(stem).casefold())
        if place is not None and (titles or contents is not None):
            category, rest = place.category or "extra", None
        elif whole is not None and titles:
            category, rest = whole, None
        elif ending is not None and ending.start() > 0:
            category, rest = self._extras[ending[1].casefold()], stem[: ending.start()]
        elif beginning is not None:
            category, rest = beginning[1], stem[beginning.end() :]
        elif (behind := self._behind_year.search(stem)) is not None:
            category, rest = self._extras.get(behind[1].casefold(), "extra"), stem[: behind.start(1)]
        else:
            return None
        return self._belonging(category, rest, stem, folders, titles, contents)

    def _belonging(
        self,
        category: str,
        rest: str | None,
        stem: str,
        folders: list[Folder],
        titles: list[Folder],
        contents: str | None,
    ) -> PathName:
        season = next((folder.number for folder in folders if folder.purpose == "season"), None)
        stated = _SEASON.search(stem)
        if stated is not None and contents != "films":
            season = int(stated[1])
        if rest is None and self._episodes.plain(stem) is not None and contents != "films":
            rest = stem
        own = None if rest is None else self._film_or_episode(rest, folders, titles, contents)
        if titles and (own is None or own.category == "tv_show" or own.year is None):
            owner = self._show(titles, folders) if season is not None or contents in ("shows", "anime") else None
            if owner is None:
                name = self._films.folder(titles[-1].name)
                owner = PathName(self._before_season(titles[-1].name, name), None, name.year)
                season = (
                    season if season is not None else season_in(titles[-1].name) if contents != "films" else None
                )
            number = None if own is None else own.episode
            season = own.season if own is not None and own.season is not None else season
            return PathName(owner.title, category, owner.year, season, number)
        if own is None:
            return PathName(titles[-1].name if titles else category, category)
        return PathName(own.title, category, own.year, own.season, own.episode)

    def _before_season(self, folder: str, read: FilmName) -> str:
        cut = _AFTER_SEASON.sub("", folder)
        return read.title if cut == folder else self._films.read(cut).title

    def _film_or_episode(
        self, stem: str, folders: list[Folder], titles: list[Folder], contents: str | None
    ) -> PathName:
        text, edition = without_tags(spaced(stem) if stem.count(".") < 3 else stem.replace("_", " "))
        season = next((folder.number for folder in reversed(folders) if folder.purpose == "season"), None)
        if season is None and titles and contents != "films":
            season = season_in(titles[-1].name)
        among = contents in ("shows", "anime") or season is not None
        found = self._episodes.plain(text, in_films=contents == "films")
        if found is None and contents != "films" and (day := self._episodes.dated(text)) is not None:
            if not among and not titles and self._films.cut(text) == text:
                return self._home(stem, folders)
            found = day
        creditless = _CREDITLESS.search(text) if contents == "anime" or text.startswith("[") else None
        if creditless is not None:
            return self._episode(text[: creditless.start()], EpisodeName(0, 0), folders, titles, season, "extra")
        if found is None and (among or (text.startswith("[") and contents != "films")):
            found = self._among(text, season, contents, titles)
        if found is not None:
            return self._episode(text[: found.start], found, folders, titles, season, "tv_show", text[found.end :])
        if among and (season is not None or contents == "shows"):
            if season is None and (own_season := season_in(stem)) is not None:
                season, text = own_season, _AFTER_SEASON.sub("", text)
            return self._episode("" if titles else text, EpisodeName(0, 0), folders, titles, season, "tv_show")
        return self._film(stem, edition, folders, titles, contents)

    def _among(
        self, text: str, season: int | None, contents: str | None, titles: list[Folder]
    ) -> EpisodeName | None:
        bare_text = without_group(text)
        shift = len(text) - len(bare_text)
        for title in self._names_of(titles[:1]):
            head = bare_text[: len(title)]
            if alike(head, title) and bare_text[len(head) :].strip():
                shift += len(head)
                bare_text = bare_text[len(head) :]
                break
        absolute = contents == "anime" or text.startswith("[")
        special = _OVA.search(bare_text) if absolute else None
        if special is not None:
            number = special["episode"]
            return EpisodeName(
                special.start() + shift, special.end() + shift, 0, None if number is None else int(number)
            )
        found = self._episodes.within(self._films.cut(bare_text), season, absolute=absolute)
        if found is None or (found.episode is not None and self._films.read(bare_text).year == found.episode):
            return None
        return EpisodeName(
            found.start + shift, found.end + shift, found.season, found.episode, found.last, found.date
        )

    def _names_of(self, titles: list[Folder]) -> list[str]:
        """The names of a show's folder, with and without its year."""
        names = [title.name for title in titles]
        return [*names, *(self._films.folder(name).title for name in names)] if self._reads_on else names

    def _episode(
        self, before: str, found: EpisodeName, folders: list[Folder], titles: list[Folder], season: int | None,
        category: str, after: str = "",
    ) -> PathName:  # fmt: skip
        stated = None
        if (ordinal := _ORDINAL_SEASON.search(trimmed(before))) is not None:
            stated, before = int(ordinal["ordinal"] or ordinal["short"]), trimmed(before)[: ordinal.start()]
        own = self._own_show(before)
        if own is None and not titles and self._reads_on and trimmed(after):
            own = self._own_show(after)
        show = self._show(titles, folders) if titles else None
        in_library = any(folder.contents in ("shows", "anime") or folder.purpose == "season" for folder in folders)
        chosen = self._chosen(own, show, in_library=in_library)
        if show is not None and stated is None and (ordinal := _ORDINAL_SEASON.search(show.title)) is not None:
            stated = int(ordinal["ordinal"] or ordinal["short"])
            chosen = PathName(
                chosen.title[: ordinal.start()] if chosen.title == show.title else chosen.title, None, chosen.year
            )
        number = found.season if found.season is not None else season if season is not None else stated
        if number is None and found.episode is not None and titles and found.date is None:
            number = season_in(titles[-1].name)
        beside = self._episodes.dated(after) if found.date is None else None
        day = found.date or (None if beside is None else beside.date)
        if day is None and found.season is None and found.episode:
            day = self._episodes.short_day(after)
        year = chosen.year if day is None else int(day[:4])
        return PathName(
            chosen.title, category, year, number, found.episode if found.end else None, found.last, day,
        )  # fmt: skip

    def _own_show(self, before: str) -> PathName | None:
        text = _IN_OWN_BRACKETS.sub(r"\1", without_group(before)) if before.startswith("[") else before
        text = re.sub(
            r"(?i)[ ._-]+(?:season|staffel|saison|sezon)[ ._]*[0-9]*[ ._-]*$|[ ._-]+[0-9]+\. ?sezon.*$", "", text
        )
        name = self._films.read(text) if trimmed(text) else None
        if name is None or not trimmed(name.title):
            return None
        if name.year is not None and not _has_bracketed(text, name.year) and " - " in before + " ":
            return PathName(trimmed(text), None, None)
        return PathName(name.title, None, name.year)

    def _show(self, titles: list[Folder], folders: list[Folder]) -> PathName:
        """The folder that is the show's: the one above its season, or the nearest."""
        season_at = next((at for at, folder in enumerate(folders) if folder.purpose == "season"), len(folders))
        above = [folder for folder in folders[:season_at] if folder.purpose == "title"]
        name = (above or titles)[0 if season_at < len(folders) and len(above) == 1 else -1].name
        name = without_group(name)
        name = _AFTER_SEASON.sub("", name) or name
        if self._whole is not None:
            name = self._whole.sub("", name) or name
        read = self._films.folder(name)
        if read.year is not None and not _has_bracketed(name, read.year) and " " in name:
            return PathName(trimmed(name), None, None)
        return PathName(read.title, None, read.year)

    def _chosen(self, own: PathName | None, show: PathName | None, *, in_library: bool) -> PathName:
        if own is None or show is None:
            return own or show or PathName("unnamed")
        if alike(own.title, show.title):
            return PathName(better_cased(show.title, own.title), None, show.year or own.year)
        mine, theirs = bare(own.title), bare(show.title)
        if mine.endswith(theirs) and own.title.split(" ")[0].casefold() in self._articles and mine != theirs:
            return PathName(own.title, None, show.year or own.year)
        if in_library or mine in theirs:
            return PathName(show.title, None, show.year)
        return own

    def _film(
        self, stem: str, edition: str | None, folders: list[Folder], titles: list[Folder], contents: str | None
    ) -> PathName:
        own = self._films.read(stem)
        folder = self._films.folder(titles[-1].name) if titles else None
        title, year, part = own.title, own.year, own.part
        if part is None:
            part = next((one.number for one in reversed(folders) if one.purpose == "disc"), None)
        edition = edition or own.edition
        if folder is not None:
            mine, theirs = bare(own.title), bare(folder.title)
            is_uninformative = (
                spaced(stem).casefold() in self._nameless or not mine or bool(_MEANINGLESS.fullmatch(stem))
            )
            group = _RELEASE_GROUP.search(titles[-1].name)
            is_uninformative = is_uninformative or (
                folder.is_release and group is not None and alike(group[1], own.title)
            )
            if alike(own.title, folder.title):
                title, year = better_cased(own.title, folder.title), year or folder.year
            elif is_uninformative or (folder.year is not None and (own.year is None or own.year == folder.year)):
                title, year = folder.title, folder.year
            elif (
                own.year is None
                and folder.year is None
                and mine
                and theirs.startswith(mine)
                and contents == "films"
            ):
                title = folder.title
            edition = edition or folder.edition
            part = part if part is not None else folder.part
        if year is None and contents == "films":
            year = _year_of(folders)
        is_film = (
            contents == "films" or year is not None or own.is_release or (folder is not None and folder.is_release)
        )
        return PathName(title or stem, "movie" if is_film else None, year, part=part, edition=edition)

    # -- audio, pictures and books ------------------------------------------------------------------------------

    def _audio(self, stem: str, extension: str, folders: list[Folder], contents: str | None) -> PathName:
        if contents == "audiobooks" or extension in _READ_ALOUD:
            book = music.audiobook(stem, folders)
            by = makers.of_book(folders, is_read_aloud=True) if self._makers else NOBODY
            return PathName(book.title, "audiobook", book.year, part=book.part, makers=by)
        song = music.song(stem, folders, self._various)
        by = makers.of_song(folders, self._various) if self._makers else NOBODY
        return PathName(song.title, "music", song.year, makers=by)

    def _photo(self, stem: str, folders: list[Folder]) -> PathName:
        day = camera.day_in(stem) or next(
            filter(None, (camera.day_in(one.name) for one in reversed(folders))), None
        )
        return PathName(stem, "photo", _year_of(folders) if day is None else int(day[:4]), date=day)

    def _book(self, stem: str, extension: str, folders: list[Folder], contents: str | None) -> PathName:
        if extension in _COMICS or contents == "comics":
            comic = printed.comic(stem, folders, self._articles)
            return PathName(comic.title, "comic", comic.year, comic.volume, comic.number)
        book = printed.book(stem, folders, self._articles)
        by = makers.of_book(folders, is_read_aloud=False) if self._makers else NOBODY
        return PathName(book.title, "book", book.year, makers=by)
