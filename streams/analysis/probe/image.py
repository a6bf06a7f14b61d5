"""Photographs and pictures: their format, independent of their name; size, when, where and with what they were taken, a
thumbnail.

A picture is valid even if no thumbnail can be made: `failed` is only a file that is not a picture, or of which nothing
can be read. Of raw files the embedded JPEG is used; of SVG and JPEG XL only the size is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import BinaryIO

from PIL import Image

from schemas.found import Found, Tags
from streams.analysis.probe import (
    decoding,
    exif,
    heif,
    ifd,
    jpegxl,
    raw_canon,
    raw_headed,
    raw_preview,
    raw_tiff,
    sequence,
    signs,
    svg,
    thumbnail,
    words,
)
from streams.analysis.probe.exif import NOTHING, Shot
from streams.analysis.probe.raw_preview import Raw
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean, number, year
from streams.analysis.probe.words import Words
from streams.analysis.wire import Picture

OURS = raw_tiff.EXTENSIONS - {"raw"} | {"cr3", "crw", "heic", "heif", "hif", "jxl", "mrw", "raf", "svg", "x3f"}
"""Extensions of formats that are recognised by their content, in addition to Pillow's; `raw` is used by many."""
TARGA = ("tga", "vda", "icb", "vst")
"""TGA has no signature: any file may be one, so only files with its extensions are tried."""
MENDED = ("bmp", "gif", "jpeg", "pcx", "png", "ppm", "psd", "sgi", "tga", "tiff")
"""Formats that are decoded from the top on: a part of a damaged picture can be shown."""
HEIF = ("heic", "heif", "avif")
UNSHOWN = ("crw", "mrw", "x3f")
"""Raw formats whose previews are not searched for."""
CUT_OFF, DAMAGED = "its end is missing", "a part of it is damaged"

load_plugins = decoding.load_plugins


@dataclass(frozen=True, slots=True)
class _Seen:
    """`size`: before rotation by the orientation in `shot`; `fault`: why it is not decoded completely; `is_broken`: the
    file is the reason."""

    container: str | None
    size: tuple[int, int] | None
    shot: Shot = NOTHING
    words: Words = Words()  # noqa: RUF009
    picture: Picture | None = None
    fault: str | None = None
    is_broken: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """In words."""
        if self.fault is None:
            return ()
        return (self.fault,) if self.picture is not None else (f"no picture of it: {self.fault}",)


def read(file: BinaryIO, path: str) -> Read:
    """Raises Damaged, OSError."""
    extension = path.rpartition(".")[2].lower()
    if (drawn := jpegxl.read(file)) is not None:
        size = None if drawn.width is None or drawn.height is None else (drawn.width, drawn.height)
        shot = replace(drawn.shot, orientation=1)  # the orientation is in the codestream, and again in Exif
        return _photo(_Seen("jxl", size, shot, fault="JPEG XL cannot be decoded here"))
    for reader in (raw_canon.read, raw_headed.read, raw_tiff.read):
        if (raw := reader(file, extension)) is not None:
            return _photo(_developed(file, raw))
    length = file.seek(0, 2)
    seen = _decoded(file, length, extension)
    if seen is not None:
        return _photo(seen)
    file.seek(0)
    if (drawing := svg.read(file.read(svg.HEAD_BYTES))) is not None:
        sides = None if drawing.width is None or drawing.height is None else (drawing.width, drawing.height)
        return _photo(_Seen("svg", sides))
    return _photo(_unopened(file, length, path))


def _photo(seen: _Seen) -> Read:
    shot, words = seen.shot, seen.words
    width, height = seen.size or (None, None)
    if shot.orientation in exif.TURNED:
        width, height = height, width
    tags = Tags(title=words.title or shot.title, date=shot.date, description=words.description or shot.description)
    found = Found(
        year=year(shot.taken),
        category="photo",
        container=seen.container,
        width=number(width),
        height=number(height),
        tags=None if tags == Tags() else tags,
        warnings=seen.warnings,
        taken=shot.taken,
        camera=shot.camera,
        lens=shot.lens,
        taken_at=shot.place,
    )
    return Read(found, seen.picture)


def _decoded(file: BinaryIO, length: int, extension: str) -> _Seen | None:
    """Decode with Pillow: completely, or else what is there. None if it cannot be opened."""
    with decoding.careful():
        seen = _attempt(file, length, extension)
    if seen is None or (seen.is_broken and seen.container in MENDED):
        with decoding.careful(forgiving=True):
            mended = _attempt(file, length, extension)
        if mended is not None and (seen is None or mended.picture is not None):
            is_cut = seen is not None and seen.fault == CUT_OFF
            seen = replace(mended, fault=CUT_OFF if is_cut else mended.fault or DAMAGED, is_broken=True)
    if seen is None or seen.picture is not None or (small := _small(file, length, seen)) is None:
        return seen
    left = CUT_OFF if seen.fault == CUT_OFF else DAMAGED
    return replace(seen, picture=small, fault=left if seen.is_broken else None)


def _attempt(file: BinaryIO, length: int, extension: str) -> _Seen | None:
    try:
        image = decoding.opened(file, length, targa=extension in TARGA)
    except decoding.FAULTS:
        return None
    if image is None:
        return None
    with image:
        size, picture, fault, is_broken = image.size, None, None, False
        try:
            decoding.load(image, file)
            picture = thumbnail.of_image(image, exif.of_info(image.info).orientation)
        except Damaged as error:
            fault = error.reason
        except decoding.FAULTS as error:
            fault, is_broken = CUT_OFF if "truncated" in str(error) else "it cannot be decoded", True
        return _Seen(
            _container(image, file), size, _shot(image, file), words.of_info(image.info), picture, fault, is_broken
        )


def _container(image: Image.Image, file: BinaryIO) -> str:
    """The name of the format; of a JPEG followed by others that of the first."""
    match image.format or "":
        case "MPO":
            return "jpeg"
        case "HEIF":
            file.seek(0)
            return heif.container(file.read(signs.HEAD_BYTES)) or "heif"
        case other:
            return other.lower()


def _shot(image: Image.Image, file: BinaryIO) -> Shot:
    """The metadata; Pillow rotates a TIFF by itself."""
    if image.format != "TIFF":
        return exif.of_info(image.info)
    tiff = ifd.opened(file)
    return NOTHING if tiff is None else replace(exif.of_chain(tiff.chain()), orientation=1)


def _small(file: BinaryIO, length: int, seen: _Seen) -> Picture | None:
    """The thumbnail that is embedded in the file."""
    if seen.container in HEIF and length <= decoding.MAX_WHOLE_BYTES:
        file.seek(0)
        data = heif.small(file.read(length))
        return None if data is None else thumbnail.made(data)
    return thumbnail.made(seen.shot.thumbnail, seen.shot.orientation) if seen.shot.thumbnail else None


def _developed(file: BinaryIO, raw: Raw) -> _Seen:
    """A raw file. Its preview has the sensor's orientation, and is rotated by the raw file's orientation."""
    preview = raw_preview.preview(file, raw.parts)
    size = None if raw.width is None or raw.height is None else (raw.width, raw.height)
    if preview is None:
        plain = _decoded(file, file.seek(0, 2), raw.container) if raw.container in raw_tiff.EXTENSIONS else None
        picture = None if plain is None else plain.picture  # a bitmap, as a TIFF's first picture
        why = "this kind of raw file is not read here" if raw.container in UNSHOWN else "there is no preview in it"
        return _Seen(raw.container, size, raw.shot, picture=picture, fault=None if picture is not None else why)
    shot = raw.shot.or_else(preview.shot)
    picture = thumbnail.made(preview.data, shot.orientation)
    fault = None if picture is not None else "its preview cannot be decoded"
    size = size or (preview.head.width, preview.head.height)
    return _Seen(raw.container, size, shot, picture=picture, fault=fault)


def _unopened(file: BinaryIO, length: int, path: str) -> _Seen:
    """A file that Pillow does not open. If its format is unknown here, it is not damaged; if the extension is of a
    known format, it is."""
    extension = path.rpartition(".")[2].lower()
    sign = signs.read(file)
    if sign is not None and sign.container in HEIF and (first := sequence.read(file)) is not None:
        fault = None if first.picture is not None else "its first picture cannot be decoded"
        return _Seen(sign.container, first.size, picture=first.picture, fault=fault)
    if sign is not None and sign.size is not None:
        fits = length <= decoding.MAX_WHOLE_BYTES and decoding.fits(sign.container.upper(), sign.size)
        return _Seen(sign.container, sign.size, sign.shot, fault="it is damaged" if fits else decoding.TOO_LARGE)
    if sign is not None:
        raise Damaged(f"its beginning is damaged: nothing of this {sign.container.upper()} picture can be read")
    if extension in OURS or Image.registered_extensions().get(f".{extension}") in (*decoding.FORMATS, "TGA"):
        raise Damaged(f"it is no picture, although its name says {clean(extension)}")
    return _Seen(clean(extension), None, fault="its format is not known here")
