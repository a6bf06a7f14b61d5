"""Thumbnails: at most 480 pixels and 64 KiB, WebP; and the cap on pixels before anything is decoded."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from streams.analysis.probe.read import Damaged
from streams.analysis.wire import Picture

MAX_PIXELS = 80_000_000
"""More are not decoded: 3 bytes each must fit the child's memory beside the decoder's own."""
SIDE = 480
MAX_BYTES = 65_536
_QUALITIES = (80, 65, 50, 35, 20)


def of_bytes(data: bytes) -> Picture | None:
    """The thumbnail of a picture inside a file; None when it is none that can be read: the file itself is not
    damaged by a bad cover."""
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
    for quality in _QUALITIES:
        out = io.BytesIO()
        flat.save(out, "WEBP", quality=quality, method=4)
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
