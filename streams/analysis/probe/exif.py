"""The metadata that a camera writes into a picture: when, where and with what it was taken, and its orientation.

The times are the camera's own; a place is used only if it is valid. Source of all tags: Exif 2.32 (CIPA
DC-008-2019), sections 4.6.4 to 4.6.6; those named XP are Windows's.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.found import Place
from streams.analysis.probe import ifd
from streams.analysis.probe.ifd import Directory
from streams.analysis.probe.text import clean, year

DESCRIPTION, MAKE, MODEL, ORIENTATION, CHANGED = 0x010E, 0x010F, 0x0110, 0x0112, 0x0132
XP_TITLE, XP_COMMENT = 0x9C9B, 0x9C9C
EXIF_DIRECTORY, GPS_DIRECTORY = 0x8769, 0x8825
JPEG_PLACE, JPEG_LENGTH = 0x0201, 0x0202
TAKEN, DIGITIZED = 0x9003, 0x9004
OFFSET_CHANGED, OFFSET_TAKEN, OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
WIDTH, HEIGHT = 0xA002, 0xA003
LENS_RANGE, LENS_MODEL = 0xA432, 0xA434
NORTH, LATITUDE, EAST, LONGITUDE, BELOW_SEA, ALTITUDE = 1, 2, 3, 4, 5, 6

MAX_WORDS_BYTES = 4_096
MAX_THUMBNAIL_BYTES = 262_144
"""An Exif block has at most 64 KiB in a JPEG; other containers allow more."""
MAX_PROFILE_LETTERS = 262_144
TURNED = (5, 6, 7, 8)
"""Orientations in which width and height change places."""
HIGHEST_METRES, LOWEST_METRES = 100_000.0, -12_000.0
"""The altitudes at which photos are taken: from the sea floor to the edge of space."""

_TIME = re.compile(r"([0-9]{4})[:/.-]([0-9]{2})[:/.-]([0-9]{2})[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})(?![0-9])")
_DAY = re.compile(r"([0-9]{4})[:/.-]([0-9]{2})[:/.-]([0-9]{2})(?![0-9])")
_OFFSET = re.compile(r"[+-](?:0[0-9]|1[0-4]):[0-5][0-9]")
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_COMPANY = frozenset((
    "co", "co.", "co.,", "co.,ltd", "co.,ltd.", "company", "company,", "corp", "corp.", "corporation", "electric",
    "electronics", "imaging", "inc", "inc.", "ltd", "ltd.", "optical", "techwin",
))  # fmt: skip
"""Words in a maker's name that do not identify a camera."""
_NO_DESCRIPTION = re.compile(
    r"(?i)(olympus|sony|minolta|kodak|samsung|vivitar)? ?(digital (still )?camera|dsc)|dcim\\.*|default|charset=.*|"
    r"image description|untitled"
)
"""Placeholders that cameras write if there is no description."""


@dataclass(frozen=True, slots=True)
class Shot:
    """`taken`: ISO 8601; `date`: as the camera wrote it; `orientation`: 1 to 8; `thumbnail`: a small JPEG."""

    taken: str | None = None
    date: str | None = None
    camera: str | None = None
    lens: str | None = None
    place: Place | None = None
    orientation: int = 1
    width: int | None = None
    height: int | None = None
    title: str | None = None
    description: str | None = None
    thumbnail: bytes = b""

    def or_else(self, other: Shot) -> Shot:
        """This one, with values that it lacks from the other; the orientation is taken from the one that has it."""
        return Shot(
            taken=self.taken or other.taken,
            date=self.date or other.date,
            camera=self.camera or other.camera,
            lens=self.lens or other.lens,
            place=self.place or other.place,
            orientation=self.orientation if self.orientation != 1 else other.orientation,
            width=self.width or other.width,
            height=self.height or other.height,
            title=self.title or other.title,
            description=self.description or other.description,
            thumbnail=self.thumbnail or other.thumbnail,
        )


NOTHING = Shot()


def of_bytes(data: bytes) -> Shot:
    """Parse an Exif block, with or without the six bytes before it in JPEG."""
    tiff = ifd.opened(io.BytesIO(data.removeprefix(b"Exif\0\0")))
    return NOTHING if tiff is None else of_chain(tiff.chain())


def of_info(info: Mapping[str | tuple[int, int], object]) -> Shot:
    """From the info that Pillow found with a picture; what ImageMagick writes into a PNG is the same in hexadecimal."""
    match info.get("exif"), info.get("Raw profile type exif"):
        case bytes() as data, _:
            return of_bytes(data)
        case _, str() as text if len(text) <= MAX_PROFILE_LETTERS:
            digits = "".join(text.split()[2:])
            return of_bytes(bytes.fromhex(digits)) if _HEXADECIMAL.fullmatch(digits) else NOTHING
    return NOTHING


def of_chain(chain: list[Directory]) -> Shot:
    """From a chain of directories: the picture's, then its thumbnail's."""
    if not chain:
        return NOTHING
    main = chain[0]
    details = next(iter(main.below(EXIF_DIRECTORY)), None)
    gps = next(iter(main.below(GPS_DIRECTORY)), None)
    return of_directories(main, details, gps, thumbnail=_thumbnail(chain[1]) if len(chain) > 1 else b"")


def of_directories(
    main: Directory | None, details: Directory | None, gps: Directory | None, *, thumbnail: bytes = b""
) -> Shot:
    """From these three directories, wherever they are."""
    date, offset = _date(main, details)
    return Shot(
        taken=None if date is None else _iso(date, offset),
        date=date,
        camera=None if main is None else _camera(clean(main.text(MAKE)), clean(main.text(MODEL))),
        lens=None if details is None else lens_of(details, LENS_MODEL, LENS_RANGE),
        place=None if gps is None else _place(gps),
        orientation=1 if main is None else _orientation(main),
        width=None if details is None else details.number(WIDTH),
        height=None if details is None else details.number(HEIGHT),
        title=None if main is None else _wide(main, XP_TITLE),
        description=None if main is None else _description(main),
        thumbnail=thumbnail,
    )


def _date(main: Directory | None, details: Directory | None) -> tuple[str | None, str | None]:
    """When it was taken, with the offset from UTC; only if that is missing, when it was written, which may be its last
    change. A camera without a clock writes zeros or spaces."""
    places = (
        (details, TAKEN, OFFSET_TAKEN), (details, DIGITIZED, OFFSET_DIGITIZED), (main, CHANGED, OFFSET_CHANGED),
    )  # fmt: skip
    for directory, tag, offset in places:
        date = None if directory is None else clean(directory.text(tag))
        if date is not None and _iso(date, None) is not None:
            return date, None if details is None else clean(details.text(offset))
    return None, None


def _iso(date: str, offset: str | None) -> str | None:
    """`2019:01:02 03:04:05` as ISO 8601; None for an invalid time, or one outside the years in which pictures were
    made."""
    for pattern, form in ((_TIME, "%Y-%m-%dT%H:%M:%S"), (_DAY, "%Y-%m-%d")):
        found = pattern.match(date)
        if found is None or year(found[1]) is None:
            continue
        try:
            moment = datetime(*[int(part) for part in found.groups()])  # type: ignore[arg-type]  # three or six
        except ValueError:
            return None
        zone = offset if form.endswith("S") and offset is not None and _OFFSET.fullmatch(offset) else ""
        return moment.strftime(form) + zone
    return None


def _camera(make: str | None, model: str | None) -> str | None:
    """Maker and model, the maker once: `Canon` and `Canon EOS R5`, `NIKON CORPORATION` and `NIKON D850`."""
    words = [word for word in (make or "").split() if word.casefold() not in _COMPANY]
    if model is None or not words:
        return model or clean(" ".join(words))
    if any(model.casefold().startswith(word.casefold()) for word in words):
        return model
    return clean(" ".join([*words, model]))


def lens_of(details: Directory, named: int, ranged: int) -> str | None:
    """A lens by its name, or else by its properties: shortest and longest focal length, widest aperture at each."""
    if (name := clean(details.text(named))) is not None and any(c.isalnum() for c in name):
        return name if name.strip("-0. mf/") else None
    found = details.ratios(ranged)
    if len(found) != 4 or not all(0 < length < 10_000 for length in found[:2]):
        return None
    lengths, apertures = (_range(*found[:2]), _range(*found[2:]))
    return f"{lengths}mm f/{apertures}" if all(0 < f < 100 for f in found[2:]) else f"{lengths}mm"


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"


def _orientation(main: Directory) -> int:
    value = main.number(ORIENTATION)
    return value if value is not None and 1 <= value <= 8 else 1


def _place(gps: Directory) -> Place | None:
    """Both coordinates or nothing; also nothing for 0, 0, which phones write if they do not know the place."""
    latitude = _degrees(gps, LATITUDE, NORTH, {"N": 1, "S": -1}, 90)
    longitude = _degrees(gps, LONGITUDE, EAST, {"E": 1, "W": -1}, 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    return Place(latitude, longitude, _altitude(gps))


def _degrees(gps: Directory, tag: int, side: int, signs: dict[str, int], most: int) -> float | None:
    """Degrees from degrees, minutes, seconds; to seven digits, which is a centimetre."""
    found = gps.ratios(tag)
    sign = signs.get((gps.text(side) or "")[:1].upper())
    if len(found) != 3 or sign is None or not all(math.isfinite(part) and part >= 0 for part in found):
        return None
    degrees, minutes, seconds = found
    value = degrees + minutes / 60 + seconds / 3600
    return None if minutes > 60 or seconds > 60 or value > most else round(sign * value, 7)


def _altitude(gps: Directory) -> float | None:
    found = next(iter(gps.ratios(ALTITUDE)), math.nan)
    metres = -found if gps.number(BELOW_SEA) in (1, 3) else found  # 2 and 3 are of Exif 3.0
    return round(metres, 1) if LOWEST_METRES <= metres <= HIGHEST_METRES else None


def _description(main: Directory) -> str | None:
    value = clean(main.text(DESCRIPTION))
    if value is None or _NO_DESCRIPTION.fullmatch(value):
        value = _wide(main, XP_COMMENT)
    return value


def _wide(main: Directory, tag: int) -> str | None:
    """A text in UTF-16, little endian, as Windows writes it."""
    return clean(main.data(tag, MAX_WORDS_BYTES).decode("utf-16-le", "replace").partition("\0")[0])


def _thumbnail(directory: Directory) -> bytes:
    place, length = directory.number(JPEG_PLACE), directory.number(JPEG_LENGTH)
    if place is None or length is None or not 0 < length <= MAX_THUMBNAIL_BYTES:
        return b""
    return directory.tiff.at(place, length)
