"""Mobipocket books and FictionBooks: the metadata of their headers are read."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from schemas.found import Credit, Tags
from tests.support import books, media
from tests.support.book_probing import failure, found, read, size, tags


@pytest.mark.parametrize(("encoding", "codec", "version", "container"), [
    (65_001, "utf-8", 6, "mobi"), (1_252, "cp1252", 6, "mobi"), (65_001, "utf-8", 8, "azw3"),
])  # fmt: skip
def test_a_kindle_book_gives_what_stands_in_its_records(
    encoding: int, codec: str, version: int, container: str
) -> None:
    records = {
        503: "Der Fjörd &amp; das Meer", 101: "Quiet House", 103: "<p>Über die <i>See</i></p>", 105: "Sea", 104: "978",
        106: "1998-03-02T00:00:00+00:00", 524: "de",
    }  # fmt: skip
    exth = [(kind, text.encode(codec)) for kind, text in records.items()]
    exth += [(100, "Ada Writer".encode(codec)), (100, "Öla Björk".encode(codec)), (201, struct.pack(">I", 1))]
    data = books.mobi(
        "x", exth, [media.picture(10, 10), media.picture(300, 400)], version=version, encoding=encoding
    )
    reply = read(data, "a.azw3")
    seen = found(reply)
    assert seen.tags == Tags(
        title="Der Fjörd & das Meer", artist="Ada Writer, Öla Björk", genre="Sea", date="1998-03-02", language="de",
        publisher="Quiet House", description="Über die See",
    )  # fmt: skip
    assert (seen.year, seen.languages, seen.container, seen.warnings) == (1998, ("de",), container, ())
    assert seen.credits == (Credit("Ada Writer", "author"), Credit("Öla Björk", "author"))
    assert size(reply) == (300, 400)


def test_a_kindle_book_without_records_has_its_full_name_and_its_locale() -> None:
    seen = found(read(books.mobi("The Quiet Sea", [], locale=0x0409), "a.mobi"))
    assert (seen.title, seen.languages, seen.warnings) == ("The Quiet Sea", ("en",), ())


def test_a_small_cover_stands_for_one_that_is_missing() -> None:
    exth = [(201, struct.pack(">I", 900)), (202, struct.pack(">I", 0))]
    assert size(read(books.mobi("x", exth, [media.picture(30, 40)]), "a.mobi")) == (30, 40)
    reply = read(books.mobi("x", exth[:1]), "a.mobi")
    assert (found(reply).title, found(reply).warnings) == ("x", ("no picture of it: its cover is missing",))


def test_a_text_for_palm_has_its_name() -> None:
    data = books.palm_database(b"TEXtREAd", [bytes(16), b"text"], b"The_Quiet_Sea")
    assert found(read(data, "a.prc")).title == "The Quiet Sea"


def test_kindle_books_of_another_kind_are_named() -> None:
    for data in (b"\xeaDRMION\xee" + bytes(100), b"CONT\x02\x00" + bytes(100), b"TPZ0" + bytes(100)):
        assert "KFX or Topaz" in found(read(data, "a.azw")).warnings[0]


INFO = """<title-info><genre>sf</genre><author><first-name>Лев</first-name><middle-name>Николаевич</middle-name>
<last-name>Толстой</last-name></author><author><nickname>Второй</nickname></author><book-title>Война и мир</book-title>
<annotation><p>О войне.</p><p>И о <b>мире</b>.</p></annotation><date value="1869-01-01">1869 г.</date>
<coverpage><image l:href="#cover.jpg"/></coverpage><lang>ru</lang>
<translator><first-name>Ann</first-name><last-name>Other</last-name></translator>
<sequence name="Романы" number="2"/></title-info><document-info><author><nickname>scanner</nickname></author>
<date>2009</date></document-info><publish-info><publisher>Дом</publisher><year>1978</year></publish-info>"""
WAR = Tags(
    title="Война и мир", artist="Лев Николаевич Толстой, Второй", genre="sf", date="1869-01-01", series="Романы", number="2",
    language="ru", publisher="Дом", description="О войне. И о мире.",
)  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251"])
def test_a_fictionbook_gives_what_its_description_says(encoding: str, tmp_path: Path) -> None:
    data = books.fictionbook(INFO, media.picture(300, 400), encoding=encoding, text="Мир. " * 300_000)
    for reply in (read(data, "a.fb2"), read(books.zipped(tmp_path / "a.fb2.zip", {"a.fb2": data}))):
        seen = found(reply)
        assert seen.tags == WAR
        assert (seen.year, seen.title, seen.languages, seen.warnings) == (1869, WAR.title, ("ru",), ())
        assert seen.credits == (
            Credit("Лев Николаевич Толстой", "author"), Credit("Второй", "author"), Credit("Ann Other", "translator"),
        )  # fmt: skip
        assert (seen.container, size(reply)) == ("fb2", (300, 400))


def test_a_fictionbook_that_is_cut_off_has_no_cover_and_all_else() -> None:
    data = books.fictionbook(INFO, media.picture(300, 400))
    reply = read(data[:-2_000], "a.fb2")
    assert (tags(reply), reply.picture) == (WAR, None)
    assert found(reply).warnings == ("no picture of it: its cover is missing or cut off",)
    reply = read(data[: data.index("О войне".encode())], "a.fb2")
    assert tags(reply).title == "Война и мир"
    assert "cut off" in found(reply).warnings[0]


def test_a_fictionbook_with_entities_is_refused() -> None:
    data = b'<?xml version="1.0"?><!DOCTYPE f [<!ENTITY a "aaaa">]><FictionBook>&a;</FictionBook>'
    assert failure(read(data, "a.fb2")) == "it defines entities"
    assert (
        failure(read(b"<?xml version='1.0'?><html/>", "a.fb2"))
        == "it is no FictionBook, although its name says so"
    )
