"""A container's tags, by the many names that containers use for them: FFmpeg's metadata in, Tags out. Knows no
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
"""Maximum tags that are used; FFmpeg gets fewer (`excess`)."""
MAX_TITLE = 60
MAX_TITLE_BYTES = 120
"""Maximum length of a track's or a chapter's title: characters, and bytes in a record."""

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
"""If there is a season, this is the episode."""

_AUDIOBOOK = re.compile(r"audio ?-?book|hörbuch|spoken|livre audio|audiolibro", re.IGNORECASE)
_ITUNES_AUDIOBOOK = "2"
"""`stik` of iTunes: the kind of medium."""
_IN_GROUP = re.compile(r"(.{1,200}?)[,;:]?\s*(?:#|\bbook\b|\bvol(?:ume|\.)?)\s*([0-9]{1,4}(?:\.[0-9]{1,2})?)\s*")
_DECIMAL = re.compile(r"\s*([0-9]{1,6}(?:\.[0-9]{1,2})?)(?![0-9])")
_EPISODE_IN_ID = re.compile(r"(?i)(?:.*?e)?([0-9]{1,4})")
_OF = re.compile(r"\s*[0-9]{1,6}\s*(?:/|\bof\b)\s*([0-9]{1,6})")


class Fields:
    """Tags by their names, case-insensitive; of several the first is used."""

    def __init__(self, sources: Iterable[Mapping[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for source in sources:
            for name, value in list(source.items())[:MAX_NAMES]:
                if value:
                    self._values.setdefault(name.casefold(), readable(value))

    def text(self, names: Iterable[str]) -> str | None:
        """The first of these tags that is not empty."""
        return next((text for name in names if (text := clean(self._values.get(name))) is not None), None)

    def count(self, names: Iterable[str]) -> int | None:
        """The number at the beginning of the first of these tags that has one."""
        return next((n for name in names if (n := leading_number(self._values.get(name))) is not None), None)


def of_sound(fields: Fields) -> Tags | None:
    """Tags of music and audiobooks; None if there are none."""
    genre, composer, narrator = fields.text(_GENRE), fields.text(_COMPOSER), fields.text(_NARRATOR)
    series, part = fields.text(_SERIES), fields.text(_NUMBER)
    if is_audiobook(fields):  # elsewhere a movement is one of a symphony, and a composer wrote music
        narrator = narrator or composer
        if series is None and (grouped := _grouped(fields)) is not None:
            series, part = grouped
    tags = Tags(
        title=fields.text(_TITLE), artist=fields.text(_ARTIST), album=fields.text(_ALBUM),
        track=fields.count(_TRACK), disc=fields.count(_DISC), genre=genre, date=fields.text(_DATE),
        album_artist=fields.text(_ALBUM_ARTIST), composer=composer,
        tracks=_total(fields, _TRACK, _TRACKS), discs=_total(fields, _DISC, _DISCS),
        narrator=narrator, series=series, number=None if series is None else _decimal(part),
        language=language(fields.text(_LANGUAGE)),
        publisher=fields.text(_PUBLISHER), description=fields.text(_DESCRIPTION),
    )  # fmt: skip
    return None if tags == Tags() else tags


def of_film(fields: Fields) -> Tags | None:
    """Tags of films and episodes; None if there are none."""
    tags = Tags(
        title=fields.text(_TITLE), artist=fields.text(_ARTIST), genre=fields.text(_GENRE), date=fields.text(_DATE),
        show=fields.text(_SHOW), season=fields.count(_SEASON), episode=fields.count(_EPISODE) or _episode(fields),
        language=language(fields.text(_LANGUAGE)), publisher=fields.text(_PUBLISHER),
        description=fields.text(_DESCRIPTION),
    )  # fmt: skip
    return None if tags == Tags() else tags


def is_audiobook(fields: Fields) -> bool:
    """Whether it is an audiobook, by its genre, by iTunes' kind of medium, or because it has a narrator."""
    genre = fields.text(_GENRE)
    return (
        (genre is not None and _AUDIOBOOK.search(genre) is not None)
        or fields.text(("media_type",)) == _ITUNES_AUDIOBOOK
        or fields.text(_NARRATOR) is not None
    )


def readable(text: str) -> str:
    """The text; if it was not UTF-8, and so has lone surrogates, decoded as Windows-1252."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return text


def title_of(metadata: Mapping[str, str]) -> str | None:
    """The title of a track or a chapter, shortened."""
    title = clean(readable(metadata.get("title") or metadata.get("TITLE") or ""))
    if title is None:
        return None
    return title[:MAX_TITLE].encode()[:MAX_TITLE_BYTES].decode("utf-8", "ignore").strip() or None


def _grouped(fields: Fields) -> tuple[str, str | None] | None:
    """Series and number as audiobook players find them if there are no such tags: iTunes' movement, or a grouping such
    as `The Expanse #3`."""
    if (movement := fields.text(_MOVEMENT)) is not None:
        return movement, fields.text(_MOVEMENT_NUMBER)
    grouping = fields.text(("grouping", "wm/contentgroupdescription"))
    if grouping is None:
        return None
    found = _IN_GROUP.fullmatch(grouping)
    return (grouping, None) if found is None else (found[1].strip(), found[2])


def _total(fields: Fields, pair: Iterable[str], names: Iterable[str]) -> int | None:
    """The second number of `3/12`, or a separate tag."""
    for name in pair:
        found = _OF.match(fields.text((name,)) or "")
        if found is not None and (total := number(int(found[1]))) is not None:
            return total
    return fields.count(names)


def _decimal(text: str | None) -> str | None:
    """The number of `2`, `02/10`, `2.5`: as written, without leading zeros."""
    found = _DECIMAL.match(text or "")
    return None if found is None else found[1].lstrip("0") or "0"


def _episode(fields: Fields) -> int | None:
    """The episode from an id such as `S01E02` or `102`, else the part number if there is a season."""
    found = _EPISODE_IN_ID.fullmatch(fields.text(("episode_id",)) or "")
    if found is not None:
        return number(int(found[1]))
    return None if fields.count(_SEASON) is None else fields.count(_PART)
