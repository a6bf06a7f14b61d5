"""The contents of a book decide what it is; what is not what its name says has failed in words."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from schemas.found import Found, Tags
from streams.analysis import probe
from streams.analysis.wire import Request
from tests.support import books, media
from tests.support.book_probing import failure, found, read, size, tags


def test_documents_of_word_processors_give_their_metadata(tmp_path: Path) -> None:
    core = """<cp:coreProperties xmlns:cp="c" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="t">
<dc:title>Notes</dc:title><dc:creator>Ada Writer</dc:creator><cp:lastModifiedBy>Other</cp:lastModifiedBy>
<dcterms:created>2015-06-07T08:09:10Z</dcterms:created><dcterms:modified>2020-01-01T00:00:00Z</dcterms:modified>
</cp:coreProperties>"""
    docx = books.zipped(tmp_path / "a.docx", {
        "word/document.xml": "<w/>", "docProps/core.xml": core,
        "docProps/app.xml": "<Properties><Pages>12</Pages></Properties>", "docProps/thumbnail.jpeg": media.picture(30, 40),
    })  # fmt: skip
    reply = read(docx)
    assert tags(reply) == Tags(title="Notes", artist="Ada Writer", date="2015-06-07")
    assert (found(reply).pages, found(reply).year, found(reply).container) == (12, None, "docx")
    assert size(reply) == (30, 40)
    meta = """<o:document-meta xmlns:o="o" xmlns:meta="m" xmlns:dc="d"><o:meta><dc:creator>Last Hand</dc:creator>
<meta:initial-creator>Ada Writer</meta:initial-creator><dc:title>Notes</dc:title><dc:language>de-AT</dc:language>
<meta:creation-date>2015-06-07T08:09:10</meta:creation-date><meta:document-statistic meta:page-count="7"/></o:meta>
</o:document-meta>"""
    reply = read(books.zipped(tmp_path / "a.odt", {"content.xml": "<o/>", "meta.xml": meta}))
    assert tags(reply) == Tags(title="Notes", artist="Ada Writer", date="2015-06-07", language="de-at")
    assert (found(reply).pages, found(reply).container) == (7, "odt")


def test_a_rich_text_gives_its_information() -> None:
    data = rb"""{\rtf1\ansi\ansicpg1251{\fonttbl{\f0 Arial;}}{\info{\title \'cc\'e8\'f0 \{1\} \u8212?x}
{\author Ada {\b Writer}}{\creatim\yr2004\mo5\dy6\hr1}{\nofpages12}}Text}"""
    seen = found(read(data, "a.rtf"))
    assert seen.tags == Tags(title="Мир {1} —x", artist="Ada Writer", date="2004-05-06")
    assert (seen.pages, seen.container, seen.year) == (12, "rtf", None)


def test_a_djvu_gives_its_pages_and_the_size_of_the_first() -> None:
    seen = found(read(books.djvu(5), "a.djvu"))
    assert (seen.pages, seen.width, seen.height, seen.warnings) == (5, 2_480, 3_508, ())
    assert "cut off" in found(read(books.djvu(5)[:-80], "a.djvu")).warnings[0]


def test_a_format_that_nobody_reads_is_read_by_its_kind() -> None:
    assert found(read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.doc")) == Found(
        category="book", container="doc"
    )
    assert found(read(b"ITSF" + bytes(600), "a.chm")) == Found(category="book", container="chm")
    assert found(read(b"plain words", "a.doc")) == Found(category="book", container="doc")


@pytest.mark.parametrize("name", [
    "a.epub", "a.cbz", "a.cbr", "a.cb7", "a.cbt", "a.pdf", "a.mobi", "a.azw3", "a.fb2", "a.djvu", "a.docx", "a.odt", "a.rtf",
])  # fmt: skip
def test_what_is_not_what_its_name_says_has_failed_with_a_reason(name: str) -> None:
    assert "although its name says so" in failure(read(b"nothing of the kind" * 40, name))
    assert failure(read(b"", name)) == "it is empty"


@pytest.mark.parametrize(("name", "data"), [
    ("a.cbz", b"PK\x03\x04" + bytes(100)), ("a.mobi", bytes(60) + b"BOOKMOBI"), ("a.djvu", b"AT&TFORM" + bytes(40)),
    ("a.mobi", books.palm_database(b"BOOKMOBI", [])), ("a.docx", b"PK\x05\x06" + bytes(18)),
])  # fmt: skip
def test_a_beginning_alone_has_failed(name: str, data: bytes) -> None:
    failure(read(data, name))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_book_has_an_answer(tmp_path: Path, share: float) -> None:
    assert failure(read(media.truncated(media.book(tmp_path / "a.epub"), share))) == (
        "it is no whole archive: it is damaged or cut off"
    )


class Broken(io.BytesIO):
    """A file whose disk cannot be read behind a place."""

    bad_from = 2_000

    def read(self, size: int | None = -1) -> bytes:
        """Raises OSError there."""
        if (
            self.tell() + (size if size is not None and size >= 0 else 2**30) > self.bad_from
            and self.tell() >= 100
        ):
            raise OSError(5, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize("name", ["a.cbz", "a.cbt", "a.mobi"])
def test_a_disk_that_cannot_be_read_is_reported_so(name: str, tmp_path: Path) -> None:
    pages = [books.tar_file(f"{number}.jpg", media.picture(100, 100)) for number in range(9)]
    data = {
        "a.cbz": books.zipped(tmp_path / "a.cbz", {one.name: page for one, page in pages}).read_bytes(),
        "a.cbt": books.tarred(tmp_path / "a.cbt", pages).read_bytes(),
        "a.mobi": books.mobi("x" * 3_000, []),
    }[name]
    reply = probe.probe(Broken(data), Request("book", name))
    assert failure(reply) == "it cannot be read to its end: the disk or the share reports an error"
