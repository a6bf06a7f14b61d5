"""What a path tells by itself, in microseconds: media type, title, year, season and episode, quality.

Rules of our own, cheap and stable: they are part of the fold's version (`fold.VERSION`), because a replay must
give the same titles. A new media type is added in EXTENSIONS, and in PROBED when analysis can read it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from schemas.media import MediaType
from schemas.paths import display

EXTENSIONS: dict[MediaType, str] = {
    "video": "3gp asf avi divx f4v flv m2ts m4v mkv mov mp4 mpeg mpg mts ogm ogv rm rmvb ts vob webm wmv",
    "audio": "aac aif aiff alac ape dsf flac m4a m4b mid mka mp2 mp3 mpc oga ogg opus wav wma wv",
    "image": "avif bmp cr2 cr3 dng gif heic heif jfif jpeg jpg jxl nef orf png psd raw rw2 svg tga tif tiff webp",
    "book": "azw azw3 cb7 cbr cbt cbz chm djvu doc docx epub fb2 lit mobi odt pdf rtf",
    "archive": "7z bz2 gz iso lz lzma rar tar tbz2 tgz txz xz zip zst",
    "subtitle": "ass idx smi srt ssa stl sub sup ttml vtt",
}
"""File name extensions (lower case, without the dot) by media type; any other is `other`."""

PROBED: frozenset[MediaType] = frozenset({"video", "audio", "image", "book"})
"""Media types for which an analysis job is asked."""

MAX_TITLE = 300

_TYPE_OF = {extension: kind for kind, extensions in EXTENSIONS.items() for extension in extensions.split()}
_YEAR = re.compile(r"(?<![0-9])(?:[(\[]\s*)?((?:19|20)[0-9]{2})(?:\s*[)\]])?(?![0-9px])")
_EPISODE = re.compile(r"(?<![a-z0-9])s([0-9]{1,2})[ ._-]*e([0-9]{1,3})(?![0-9])", re.IGNORECASE)
_QUALITY = re.compile(
    r"(?<![a-z0-9])(4320p|2160p|1440p|1080[pi]|720p|576p|480p|4k|8k|uhd)(?![a-z0-9])", re.IGNORECASE
)
_JUNK = re.compile(
    r"(?<![a-z0-9])(?:4320p|2160p|1440p|1080[pi]|720p|576p|480p|4k|8k|uhd|blu-?ray|brrip|bdrip|web-?dl|web-?rip|hdtv|"
    r"dvdrip|remux|x26[45]|h\.?26[45]|hevc|xvid|aac|dts|ac3|hdr(?:10)?|proper|repack)(?![a-z0-9])",
    re.IGNORECASE,
)
_TRACK = re.compile(r"^(?:[0-9]{1,2}-)?[0-9]{1,3}(?:\s*[-.]\s*|\s+)(?=\S)")
_QUALITY_NAMES = {"4k": "2160p", "uhd": "2160p", "8k": "4320p", "1080i": "1080i"}


class Named(Struct, frozen=True, gc=False):
    """What the name tells. `title` carries the year of a film, as in `The Matrix (1999)`."""

    media_type: MediaType
    title: str
    year: int | None = None
    season: int | None = None
    episode: int | None = None
    quality: str | None = None
    category: str | None = None


def media_type_of(path: str) -> MediaType:
    """The media type by the extension."""
    _stem, dot, extension = path.rpartition("/")[2].rpartition(".")
    return _TYPE_OF.get(extension.lower(), "other") if dot else "other"


@lru_cache(8_192)  # an item is told several times within minutes: created, analysed, perhaps moved
def read(path: str) -> Named:
    """Read a path below its root."""
    name = display(path.rpartition("/")[2])
    stem, dot, _extension = name.rpartition(".")
    kind = media_type_of(path)
    stem = stem if dot and stem else name
    match kind:
        case "video" | "subtitle":
            return _read_video(kind, stem)
        case "audio":
            return Named(kind, _clean(_TRACK.sub("", _spaced(stem), count=1)) or _fallback(stem))
        case _:
            return Named(kind, _clean(_spaced(stem)) or _fallback(stem))


def film_title(title: str, year: int | None) -> str:
    """`The Matrix`, 1999 → `The Matrix (1999)`."""
    return title if year is None or str(year) in title else f"{title} ({year})"


def episode_title(title: str, season: int, episode: int | None) -> str:
    """`Northern Light`, 1, 2 → `Northern Light S01E02`."""
    return f"{title} S{season:02d}" + ("" if episode is None else f"E{episode:02d}")


def _read_video(kind: MediaType, stem: str) -> Named:
    text = _spaced(stem)
    found = _QUALITY.search(text)
    quality = None if found is None else _QUALITY_NAMES.get(found[1].lower(), found[1].lower())
    if episode := _EPISODE.search(text):
        season, number = int(episode[1]), int(episode[2])
        title = _clean(text[: episode.start()]) or _fallback(stem)
        return Named(kind, episode_title(title, season, number), None, season, number, quality, "tv_show")
    year: int | None = None
    end = len(text)
    for match in _YEAR.finditer(text):
        if match.start() > 0:  # a film may be called 1917
            year, end = int(match[1]), match.start()
    junk = _JUNK.search(text)
    if junk is not None and junk.start() > 0:
        end = min(end, junk.start())
    title = _clean(text[:end]) or _fallback(stem)
    return Named(kind, film_title(title, year), year, None, None, quality, "movie" if year else None)


def _spaced(stem: str) -> str:
    text = stem.replace("_", " ")
    return text if " " in text else text.replace(".", " ")


def _clean(text: str) -> str:
    return " ".join(text.split()).strip(" -–.,[(")[:MAX_TITLE].strip()


def _fallback(stem: str) -> str:
    return stem[:MAX_TITLE] or "unnamed"
