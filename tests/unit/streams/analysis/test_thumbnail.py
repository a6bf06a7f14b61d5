"""A picture inside a file becomes a small thumbnail; the songs of an album bring the same one along, which is made once."""

from __future__ import annotations

import io
import os
import time

from PIL import Image

from streams.analysis.probe import thumbnail
from tests.support import media


def noise(side: int) -> bytes:
    """What no encoder makes small."""
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(out, "PNG")
    return out.getvalue()


def test_a_picture_that_came_before_is_not_made_again() -> None:
    cover = media.picture(1_600, 1_600)
    began = time.process_time()
    first = thumbnail.of_bytes(cover)
    once = time.process_time() - began
    began = time.process_time()
    assert [thumbnail.of_bytes(cover) for _ in range(20)] == [first] * 20
    assert time.process_time() - began < 20 * once / 2


def test_a_few_are_remembered_and_no_more() -> None:
    for side in range(100, 100 + 2 * thumbnail.REMEMBERED):
        thumbnail.of_bytes(media.picture(side, side))
    thumbnail.of_bytes(b"no picture")
    assert len(thumbnail._remembered) == thumbnail.REMEMBERED
    assert thumbnail.of_bytes(b"no picture") is None


def test_what_does_not_compress_fits_all_the_same() -> None:
    picture = thumbnail.of_bytes(noise(900))
    assert picture is not None
    assert len(picture.data) <= thumbnail.MAX_BYTES
    assert (picture.width, picture.height) == (thumbnail.SIDE, thumbnail.SIDE)
