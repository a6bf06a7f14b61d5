"""Pictures go through a probe as a child reads them; what came of it, and what can be seen on its cover."""

from __future__ import annotations

import io

from PIL import Image

from schemas.found import Found
from streams.analysis import probe
from streams.analysis.wire import Reply, Request
from tests.support import pictures
from tests.support.pictures import BERLIN, camera

EXIF = pictures.tiff(camera(gps=BERLIN))
TURNED = pictures.tiff(camera(orientation=6))


def read(data: bytes, name: str = "a.jpg") -> Reply:
    """A picture under this name."""
    return probe.probe(io.BytesIO(data), Request("image", name))


def found(reply: Reply) -> Found:
    """What is known of one that is done."""
    assert reply.status == "done", reply.reason
    assert reply.found is not None
    return reply.found


def size(reply: Reply) -> tuple[int | None, int | None]:
    """As it is told."""
    return found(reply).width, found(reply).height


def cover(reply: Reply) -> Image.Image:
    """There is one, and it is a picture of the size that is told."""
    assert reply.picture is not None, found(reply).warnings
    with Image.open(io.BytesIO(reply.picture.data)) as image:
        image.load()
    assert image.size == (reply.picture.width, reply.picture.height)
    return image.convert("RGB")


def is_black(image: Image.Image, x: float, y: float) -> bool:
    """At this share of its sides."""
    pixel = image.getpixel((int(image.width * x), int(image.height * y)))
    assert isinstance(pixel, tuple)
    return max(pixel) < 80


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """As a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def striped(width: int, height: int) -> Image.Image:
    """Red, its left third black."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("black", (0, 0, width // 3, height))
    return image
