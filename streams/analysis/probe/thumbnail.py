"""Thumbnails: at most 480 pixels and 64 KiB, WebP; and the cap on pixels before anything is decoded."""

from __future__ import annotations

import io

import xxhash
from PIL import Image, ImageOps

from streams.analysis.probe.read import Damaged
from streams.analysis.wire import Picture

MAX_PIXELS = 80_000_000
"""More are not decoded: 3 bytes each must fit the child's memory beside the decoder's own."""
SIDE = 480
MAX_BYTES = 65_536
QUALITIES = (80, 50, 20)
METHOD = 1
"""Of libwebp, 0 to 6: a third of the time of 4, the library's own, for one or two percent more bytes (measured)."""
REMEMBERED = 16
"""Pictures of files that came before: the songs of an album bring the same one along. At most 1 MiB."""

_remembered: dict[str, Picture | None] = {}


def of_bytes(data: bytes) -> Picture | None:
    """The thumbnail of a picture inside a file; None when it is none that can be read: the file itself is not
    damaged by a bad cover."""
    name = xxhash.xxh3_128_hexdigest(data)
    found = _remembered.pop(name) if name in _remembered else _made(data)
    _remembered[name] = found  # the newest stands last
    if len(_remembered) > REMEMBERED:
        del _remembered[next(iter(_remembered))]
    return found


def _made(data: bytes) -> Picture | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            return of_image(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, EOFError):
        return None


def of_image(image: Image.Image) -> Picture:
    """The thumbnail of an image, upright, its transparent parts white. Raises what Pillow raises for damaged
    data."""
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    image.thumbnail((SIDE, SIDE))
    upright = ImageOps.exif_transpose(image)
    flat = _opaque(upright)
    for quality in QUALITIES:
        out = io.BytesIO()
        flat.save(out, "WEBP", quality=quality, method=METHOD)
        if out.tell() <= MAX_BYTES:
            return Picture("image/webp", flat.width, flat.height, out.getvalue())
    raise Damaged("no thumbnail of it is small enough")


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    flat = Image.new("RGB", layered.size, "white")
    flat.paste(layered, mask=layered.getchannel("A"))
    return flat
