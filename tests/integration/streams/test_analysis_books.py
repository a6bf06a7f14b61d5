"""Books are read under a child's limits, from a disk and from a share; what one of them does to PDFium costs its cover."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
from PIL import Image

from streams.analysis import remote
from streams.analysis.children import Children
from streams.analysis.wire import Reply, Request
from streams.settings import AnalysisSettings
from tests.support import books, media

Body = Callable[[Children], Awaitable[None]]
INFO = {"Title": "Der Fjörd", "Author": "Ada Writer"}


def pooled(body: Body) -> None:
    """One child, as it is set up by itself; it is the same at the end."""

    async def main() -> None:
        children = Children(AnalysisSettings(workers=1))
        await children.start()
        try:
            before = _pids()
            await body(children)
            assert _pids() == before
        finally:
            await children.stop()

    asyncio.run(main())


def _pids() -> list[int]:
    return [child.pid for child in psutil.Process().children() if "streams.analysis.child" in child.cmdline()]


async def probe(children: Children, path: Path) -> Reply:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return await children.probe(Request("book", path.name), descriptor)
    finally:
        os.close(descriptor)


class Served:
    """A file on a share; `read_bytes` counts."""

    def __init__(self, data: bytes) -> None:
        self.read_bytes = 0
        self._data = data

    def read(self, length: int, start: int) -> bytes:
        self.read_bytes += length
        return self._data[start : start + length]


async def probe_remote(children: Children, served: Served, name: str, size: int) -> Reply:
    ours, theirs = socket.socketpair()
    serving = threading.Thread(target=remote.serve, args=(ours, served))
    serving.start()
    try:
        return await children.probe(Request("book", name, size), theirs.fileno())
    finally:
        theirs.close()
        await asyncio.to_thread(serving.join, 5)
        assert not serving.is_alive()


def is_drawn(reply: Reply) -> bool:
    """Red above, words below, white at the foot."""
    assert reply.picture is not None
    with Image.open(io.BytesIO(reply.picture.data)) as image:
        cover = image.convert("RGB")
    letters = cover.convert("L").crop((40, 120, 170, 145)).getextrema()[0]
    return cover.getpixel((170, 400)) == (255, 255, 255) and isinstance(letters, (int, float)) and letters < 60


def test_every_kind_of_book_is_read_under_the_limits(tmp_path: Path) -> None:
    exth = [(503, "Der Fjörd".encode("cp1252")), (201, bytes(4))]
    said = "<title-info><book-title>Фьорд</book-title><coverpage><image l:href='#cover.jpg'/></coverpage></title-info>"
    files = {
        "a.pdf": books.pdf(17, INFO),
        "a.mobi": books.mobi("x", exth, [media.picture(30, 40)], encoding=1_252),
        "a.fb2": books.fictionbook(said, media.picture(30, 40), encoding="windows-1251"),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    pages = [books.tar_file("1.jpg", media.picture(30, 40))]
    paths = [tmp_path / name for name in files]
    paths += [media.book(tmp_path / "a.epub"), books.tarred(tmp_path / "a.cbt", pages)]

    async def body(children: Children) -> None:
        replies = [await probe(children, path) for path in paths]
        assert [(reply.status, reply.reason, reply.picture is not None) for reply in replies] == [
            ("done", None, True)
        ] * len(paths)
        titles = [reply.found.tags.title for reply in replies if reply.found and reply.found.tags]
        assert titles == ["Der Fjörd", "Der Fjörd", "Фьорд", "The Quiet Sea"]
        assert is_drawn(replies[0])

    pooled(body)


def test_a_pdf_of_a_share_is_read_where_it_is_needed() -> None:
    """Of one with 40 MB on its last page only a few pieces are read; probed twice, because the child must continue to
    serve."""
    data = books.pdf(17, INFO, more={900: b"<</Length 40000000>>stream\n" + bytes(40_000_000) + b"\nendstream"})

    async def body(children: Children) -> None:
        for _ in range(2):
            served = Served(data)
            reply = await probe_remote(children, served, "a.pdf", len(data))
            assert reply.found is not None
            assert (reply.found.pages, is_drawn(reply)) == (17, True)
            assert served.read_bytes < 2_000_000

    pooled(body)


def test_a_page_that_ends_pdfium_costs_its_cover_and_no_child(tmp_path: Path) -> None:
    """Its contents unpack to more than the memory allowed: there PDFium gives up its process."""
    entries = b"/Type/XObject/Subtype/Form/BBox[0 0 600 900]/Resources<</XObject<</X %d 0 R>>>>"
    forms = {900 + n: books.pdf_stream(b"/X Do " * 2, entries % (900 + (n + 1) % 1_000)) for n in range(1_000)}
    nested = books.pdf(2, INFO, content=b"/X Do", resources=b"/XObject<</X 900 0 R>>", more=forms)
    swelling = books.pdf(2, INFO, content=b"0 0 m 1 1 l S\n" * 30_000_000)
    for name, data in (("a.pdf", nested), ("b.pdf", swelling)):
        (tmp_path / name).write_bytes(data)

    async def body(children: Children) -> None:
        for name in ("a.pdf", "b.pdf"):
            reply = await probe(children, tmp_path / name)
            assert reply.status == "done", reply.reason
            assert reply.found is not None
            assert (reply.found.title, reply.found.pages, reply.picture) == ("Der Fjörd", 2, None)
            assert reply.found.warnings[0].startswith("no picture of it: ")

    pooled(body)
