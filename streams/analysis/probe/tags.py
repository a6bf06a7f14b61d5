"""What a container says of itself, by the many names that containers have for it: FFmpeg's metadata in, Tags out. Knows no
file.

FFmpeg gives the common tags of ID3, Vorbis, MP4, ASF, RIFF and AIFF names of its own (`title`, `album_artist`, …); those
that it has none for come as the container writes them: TXXX of ID3 and `----` of MP4 by their description, `[169]nrt` for an
atom `©nrt`, `WM/Year` of ASF, Matroska's with their target before them where it has a name (`SEASON/PART_NUMBER`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from schemas.found import Tags
from streams.analysis.probe.text import clean, language, leading_number, number

MAX_NAMES = 4_000
"""Tags looked at; what FFmpeg is shown is fewer."""
MAX_TITLE = 60
MAX_TITLE_BYTES = 120
"""Of a track's or a chapter's title: characters, and bytes as a record counts them."""

_TITLE = ("track/title", "episode/title", "title", "movie/title")
_ARTIST = ("track/artist", "artist", "author", "lead_performer", "performer", "album/artist", "wm/author")
_ALBUM = ("album", "album/title", "wm/albumtitle")
_ALBUM_ARTIST = ("album_artist", "albumartist", "album artist", "wm/albumartist", "band")
_TRACK = ("track/part_number", "track", "tracknumber", "part_number", "wm/tracknumber")
_TRACKS = ("tracktotal", "totaltracks", "total_tracks", "track total", "album/total_parts", "total_parts")
_DISC = ("disc", "discnumber", "disk", "album/part_number", "volume/part_number", "wm/partofset")
_DISCS = ("disctotal", "totaldiscs", "total_discs", "disc total", "discs")
_GENRE = ("genre", "wm/genre", "album/genre")
_DATE = (
    "date", "year", "originaldate", "originalyear", "date_released", "date_recorded", "tdrc", "tyer", "wm/year",
    "tdor", "tory", "album/date_released", "movie/date_released", "season/date_released", "episode/date_released",
)  # fmt: skip
_COMPOSER = ("composer", "wm/composer")
_NARRATOR = ("narrator", "[169]nrt", "narratedby", "narrated by", "readby", "read by", "reader")
_SERIES = ("series", "seriestitle", "series title", "series_title")
_MOVEMENT = ("[169]mvn", "mvnm", "movementname", "movement name", "movement")
_NUMBER = ("series-part", "series_part", "seriespart", "series part", "series-number", "series_index", "part")
_MOVEMENT_NUMBER = ("[169]mvi", "mvin", "movementnumber", "movement number")
_LANGUAGE = ("language", "lang", "tlan", "wm/language")
_PUBLISHER = ("publisher", "[169]pub", "label", "organization", "wm/publisher")
_DESCRIPTION = ("description", "synopsis", "longdescription", "summary", "tdes", "episode/synopsis", "comment")
_SHOW = ("show", "tvshow", "collection/title", "wm/seriesname")
_SEASON = ("season_number", "season", "season/part_number", "wm/seasonnumber")
_EPISODE = ("episode_sort", "episode", "episode/part_number", "wm/episodenumber")
_PART = ("part_number", "track")
"""Of what has a season it is the episode."""

_AUDIOBOOK = re.compile(r"audio ?-?book|hörbuch|spoken|livre audio|audiolibro", re.IGNORECASE)
_ITUNES_AUDIOBOOK = "2"
"""`stik` of iTunes: what kind of medium it is."""
_IN_GROUP = re.compile(r"(.{1,200}?)[,;:]?\s*(?:#|\bbook\b|\bvol(?:ume|\.)?)\s*([0-9]{1,4}(?:\.[0-9]{1,2})?)\s*")
_DECIMAL = re.compile(r"\s*([0-9]{1,6}(?:\.[0-9]{1,2})?)(?![0-9])")
_EPISODE_IN_ID = re.compile(r"(?i)(?:.*?e)?([0-9]{1,4})")
_OF = re.compile(r"\s*[0-9]{1,6}\s*(?:/|\bof\b)\s*([0-9]{1,6})")


class Said:
    """Tags by their names, whatever letters those are written in; what comes first counts."""

    def __init__(self, sources: Iterable[Mapping[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for source in sources:
            for name, value in list(source.items())[:MAX_NAMES]:
                if value:
                    self._values.setdefault(name.casefold(), readable(value))

    def text(self, names: Iterable[str]) -> str | None:
        """The first of these that says something."""
        return next((text for name in names if (text := clean(self._values.get(name))) is not None), None)

    def count(self, names: Iterable[str]) -> int | None:
        """The number that it begins with."""
        return next((n for name in names if (n := leading_number(self._values.get(name))) is not None), None)


def of_sound(said: Said) -> Tags | None:
    """Of music and audiobooks; None when nothing is said."""
    genre, composer, narrator = said.text(_GENRE), said.text(_COMPOSER), said.text(_NARRATOR)
    series, part = said.text(_SERIES), said.text(_NUMBER)
    if is_audiobook(said):  # elsewhere a movement is one of a symphony, and a composer wrote music
        narrator = narrator or composer
        if series is None and (grouped := _grouped(said)) is not None:
            series, part = grouped
    tags = Tags(
        title=said.text(_TITLE), artist=said.text(_ARTIST), album=said.text(_ALBUM),
        track=said.count(_TRACK), disc=said.count(_DISC), genre=genre, date=said.text(_DATE),
        album_artist=said.text(_ALBUM_ARTIST), composer=composer,
        tracks=_total(said, _TRACK, _TRACKS), discs=_total(said, _DISC, _DISCS),
        narrator=narrator, series=series, number=None if series is None else _decimal(part),
        language=language(said.text(_LANGUAGE)),
        publisher=said.text(_PUBLISHER), description=said.text(_DESCRIPTION),
    )  # fmt: skip
    return None if tags == Tags() else tags


def of_film(said: Said) -> Tags | None:
    """Of films and episodes; None when nothing is said."""
    tags = Tags(
        title=said.text(_TITLE), artist=said.text(_ARTIST), genre=said.text(_GENRE), date=said.text(_DATE),
        show=said.text(_SHOW), season=said.count(_SEASON), episode=said.count(_EPISODE) or _episode(said),
        language=language(said.text(_LANGUAGE)), publisher=said.text(_PUBLISHER),
        description=said.text(_DESCRIPTION),
    )  # fmt: skip
    return None if tags == Tags() else tags


def is_audiobook(said: Said) -> bool:
    """Its genre says so, or iTunes' kind of medium, or that somebody reads it."""
    genre = said.text(_GENRE)
    return (
        (genre is not None and _AUDIOBOOK.search(genre) is not None)
        or said.text(("media_type",)) == _ITUNES_AUDIOBOOK
        or said.text(_NARRATOR) is not None
    )


def readable(text: str) -> str:
    """Text of which some bytes were no UTF-8, and stand in it as lone surrogates: as Windows wrote it then."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return text


def title_of(metadata: Mapping[str, str]) -> str | None:
    """Of a track or a chapter; short."""
    title = clean(readable(metadata.get("title") or metadata.get("TITLE") or ""))
    if title is None:
        return None
    return title[:MAX_TITLE].encode()[:MAX_TITLE_BYTES].decode("utf-8", "ignore").strip() or None


def _grouped(said: Said) -> tuple[str, str | None] | None:
    """Series and number as players of audiobooks find them where nothing is called so: iTunes' movement, or a grouping such
    as `The Expanse #3`."""
    if (movement := said.text(_MOVEMENT)) is not None:
        return movement, said.text(_MOVEMENT_NUMBER)
    grouping = said.text(("grouping", "wm/contentgroupdescription"))
    if grouping is None:
        return None
    found = _IN_GROUP.fullmatch(grouping)
    return (grouping, None) if found is None else (found[1].strip(), found[2])


def _total(said: Said, pair: Iterable[str], names: Iterable[str]) -> int | None:
    """The second number of `3/12`, or one that stands for itself."""
    for name in pair:
        found = _OF.match(said.text((name,)) or "")
        if found is not None and (total := number(int(found[1]))) is not None:
            return total
    return said.count(names)


def _decimal(text: str | None) -> str | None:
    """`2` of `2`, `02/10`, `2.5`: as it is written, without zeros before it."""
    found = _DECIMAL.match(text or "")
    return None if found is None else found[1].lstrip("0") or "0"


def _episode(said: Said) -> int | None:
    """An id such as `S01E02`, `102`; the part of a season."""
    found = _EPISODE_IN_ID.fullmatch(said.text(("episode_id",)) or "")
    if found is not None:
        return number(int(found[1]))
    return None if said.count(_SEASON) is None else said.count(_PART)
