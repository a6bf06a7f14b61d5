"""Probes pictures as an analysis child does; returns the result and what its cover shows."""

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
    """What was found in a picture whose analysis is done."""
    assert reply.status == "done", reply.reason
    assert reply.found is not None
    return reply.found


def size(reply: Reply) -> tuple[int | None, int | None]:
    """The cover's published size."""
    return found(reply).width, found(reply).height


def cover(reply: Reply) -> Image.Image:
    """Check that there is a cover, and that it is a picture of the published size."""
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
