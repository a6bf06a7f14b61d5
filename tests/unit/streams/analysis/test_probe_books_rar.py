"""Of a comic in a RAR archive the pages are listed; those that are stored uncompressed can be shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import books, media
from tests.support.book_probing import found, read, size, tags

COMPRESSED = "no picture of it: its contents are compressed as RAR, which is not read here"
PAGES = {f"Saga/page {number}.jpg": media.picture(100 + number, 100) for number in range(12, 0, -1)}
INFO = {"ComicInfo.xml": b"<ComicInfo><Series>Saga</Series><Number>9</Number></ComicInfo>"}
WRITERS = pytest.mark.parametrize("written", [books.rar4, books.rar5])


@WRITERS
def test_a_comic_whose_pages_were_stored_is_read_whole(written: Callable[..., bytes]) -> None:
    reply = read(written({**PAGES, **INFO}), "a.cbr")
    assert (found(reply).pages, found(reply).container, size(reply)) == (12, "cbr", (101, 100))
    assert (tags(reply).series, tags(reply).number, found(reply).warnings) == ("Saga", "9", ())


@pytest.mark.parametrize("data", [books.rar4({**PAGES, **INFO}, 0x33), books.rar5({**PAGES, **INFO}, 3)])
def test_of_a_comic_whose_pages_are_compressed_their_number_is_read(data: bytes) -> None:
    reply = read(data, "a.cbr")
    assert (found(reply).pages, reply.picture, found(reply).tags) == (12, None, None)
    assert COMPRESSED in found(reply).warnings


@pytest.mark.parametrize("data", [books.rar4({}, flags=0x80) + bytes(99), books.rar5(PAGES, kind=4)])
def test_a_locked_archive_has_a_warning(data: bytes) -> None:
    reply = read(data, "a.cbr")
    assert (found(reply).pages, reply.picture) == (None, None)
    assert found(reply).warnings[0] == "its pages are not read: the archive is protected by a password"


@WRITERS
def test_an_archive_that_is_cut_off_has_the_pages_before(written: Callable[..., bytes]) -> None:
    data = written(PAGES)
    reply = read(data[: len(data) // 2], "a.cbr")
    assert 0 < (found(reply).pages or 0) < 12
    assert "cut off" in found(reply).warnings[0]
