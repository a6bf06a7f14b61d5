"""Photographs and pictures: format, size, when it was taken, a thumbnail."""

from __future__ import annotations

from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError

from schemas.found import Found, Tags
from streams.analysis.probe import thumbnail
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean, year
from streams.analysis.wire import Picture

Image.MAX_IMAGE_PIXELS = None  # our own cap is checked before anything is decoded

_TURNED = (5, 6, 7, 8)
"""EXIF orientations in which width and height change places."""


def load_plugins() -> None:
    """Pillow loads its formats late."""
    Image.init()


def read(file: BinaryIO, path: str) -> Read:
    """Raises Damaged, OSError."""
    try:
        image = Image.open(file)
    except UnidentifiedImageError as error:
        return _foreign(path, error)
    with image:
        width, height = image.size
        small = width * height <= thumbnail.MAX_PIXELS
        picture = _picture(image) if small else None
        exif = image.getexif() if small else Image.Exif()  # some formats decode everything to find theirs
        if exif.get(ExifTags.Base.Orientation) in _TURNED:
            width, height = height, width
        date = _taken(exif)
        found = Found(
            year=year(date),
            category="photo",
            container=(image.format or "").lower() or None,
            width=width,
            height=height,
            tags=None if date is None else Tags(date=date),
        )
        return Read(found, picture)


def _taken(exif: Image.Exif) -> str | None:
    """When the picture was taken; when it was written, last changed perhaps, only where that is all there is (Exif 2.32:
    0x9003, 0x9004, 0x0132; a camera without a clock writes zeros or spaces)."""
    details = exif.get_ifd(ExifTags.IFD.Exif)
    said = (
        details.get(ExifTags.Base.DateTimeOriginal), details.get(ExifTags.Base.DateTimeDigitized),
        exif.get(ExifTags.Base.DateTime),
    )  # fmt: skip
    return next((date for one in said if (date := clean(one)) is not None and year(date) is not None), None)


def _picture(image: Image.Image) -> Picture | None:
    try:
        return thumbnail.of_image(image)
    except MemoryError:  # larger inside than its pixels say; what is known stays known
        return None
    except (OSError, ValueError, SyntaxError) as error:
        raise Damaged(f"its picture cannot be decoded: {error}") from error


def _foreign(path: str, error: Exception) -> Read:
    """A format that Pillow does not know is no damage; one that it knows by name is."""
    extension = path.rpartition(".")[2].lower()
    if f".{extension}" in Image.registered_extensions():
        raise Damaged(f"it is no picture, although its name says {clean(extension)}") from error
    return Read(Found(category="photo", container=clean(extension)))
