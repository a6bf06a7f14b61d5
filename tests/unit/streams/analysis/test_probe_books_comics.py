"""A comic is its pages in the order in which people count, whatever it is packed in and called."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from schemas.found import Credit, Tags
from tests.support import books, media
from tests.support.book_probing import failure, found, read, size, tags

SAGA = """<?xml version="1.0"?><ComicInfo><Title>Chapter Nine</Title><Series>Saga</Series><Number>9</Number><Count>54</Count>
<Volume>2</Volume><Year>2013</Year><Month>1</Month><Day>16</Day>
<Writer>Brian K. Vaughan, Second Writer</Writer>
<Penciller>Fiona Staples</Penciller><Letterer>Fonografiks</Letterer><Translator>Ann Other</Translator><Manga>Yes</Manga>
<Publisher>Image</Publisher><Genre>Science Fiction</Genre><LanguageISO>en</LanguageISO>
<Summary>War &amp; love.</Summary></ComicInfo>"""


def pages(count: int) -> dict[str, bytes | str]:
    """From the last to the first; the width says which."""
    return {f"page {number}.jpg": media.picture(100 + number, 100) for number in range(count, 0, -1)}


def test_a_comic_counts_its_pages_as_people_do_and_gives_its_series(tmp_path: Path) -> None:
    junk = {f"__MACOSX/._page {number}.jpg": b"junk" for number in range(12)}
    junk |= {"._page 1.jpg": b"junk", "Thumbs.db": b"junk", ".DS_Store": b"junk", "notes.txt": b"junk"}
    reply = read(books.zipped(tmp_path / "a.cbz", {**pages(12), **junk, "ComicInfo.xml": SAGA}))
    seen = found(reply)
    assert seen.tags == Tags(
        title="Chapter Nine", artist="Brian K. Vaughan, Second Writer", album="Saga", track=9, disc=2, tracks=54,
        genre="Science Fiction, Manga", date="2013-01-16", series="Saga", number="9", language="en", publisher="Image",
        description="War & love.",
    )  # fmt: skip
    assert (seen.pages, seen.year, seen.category, seen.container) == (12, 2013, "comic", "cbz")
    assert seen.credits == (
        Credit("Brian K. Vaughan", "author"), Credit("Second Writer", "author"), Credit("Fiona Staples", "penciller"),
        Credit("Fonografiks", "letterer"), Credit("Ann Other", "translator"),
    )  # fmt: skip
    assert (size(reply), seen.warnings) == ((101, 100), ())


def test_a_comic_with_broken_words_can_be_read_all_the_same(tmp_path: Path) -> None:
    reply = read(books.zipped(tmp_path / "a.cbz", {**pages(1), "ComicInfo.xml": "<ComicInfo><Series>"}))
    assert (found(reply).pages, size(reply)) == (1, (101, 100))
    assert found(reply).warnings == ("ComicInfo.xml in it is no whole XML",)


def test_a_comic_whose_first_page_is_damaged_is_seen_by_the_next(tmp_path: Path) -> None:
    reply = read(books.zipped(tmp_path / "a.cbz", {**pages(3), "page 1.jpg": b"damaged"}))
    assert (found(reply).pages, size(reply)) == (3, (102, 100))


def test_the_contents_of_a_comic_decide_over_its_name(tmp_path: Path) -> None:
    reply = read(books.zipped(tmp_path / "a.cbr", pages(3)))
    assert (found(reply).container, found(reply).pages, size(reply)) == ("cbz", 3, (101, 100))
    rar = found(read(b"Rar!\x1a\x07\x01\x00" + bytes(100), "a.cbz"))
    assert (rar.container, rar.pages) == ("cbr", None)
    assert rar.warnings[-1] == "its pages are not read: it is a RAR archive in which none can be found"
    assert found(read(b"7z\xbc\xaf\x27\x1c" + bytes(100), "a.cb7")).container == "cb7"
    assert found(read(media.book(tmp_path / "b.epub"), "b.cbz")).container == "epub"
    assert found(read(books.pdf(2), "a.epub")).container == "pdf"


def test_a_comic_may_be_packed_with_the_folder_it_stands_in(tmp_path: Path) -> None:
    inside = [books.tar_file(f"./Saga/{n}.jpg", media.picture(100, 100)) for n in (1, 2)]
    assert found(read(books.tarred(tmp_path / "a.cbt", inside))).pages == 2


def test_the_cover_is_the_page_that_comic_info_calls_so(tmp_path: Path) -> None:
    info = '<ComicInfo><Pages><Page Image="0"/><Page Image="{}" Type="FrontCover"/></Pages></ComicInfo>'
    for front, width in (("2", 103), ("900", 101), ("x", 101)):
        path = books.zipped(tmp_path / "a.cbz", {**pages(4), "ComicInfo.xml": info.format(front)})
        assert size(read(path)) == (width, 100)


def test_a_comic_without_a_page_has_failed(tmp_path: Path) -> None:
    assert failure(read(books.zipped(tmp_path / "a.cbz", {"notes.txt": "x"}))) == "there is no page in it"


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_comic_in_a_tar_archive_is_read_where_its_pages_lie(tmp_path: Path, kind: int) -> None:
    link, device = tarfile.TarInfo("page 0.jpg"), tarfile.TarInfo("page 00.jpg")
    link.type, link.linkname, device.type = tarfile.SYMTYPE, "/etc/passwd", tarfile.CHRTYPE
    folder = "x" * 90 + "/" if kind == tarfile.USTAR_FORMAT else "ö" * 200 + "/"
    inside = [books.tar_file(folder + name, data) for name, data in pages(12).items() if isinstance(data, bytes)]
    inside += [(link, b""), (device, b""), books.tar_file("ComicInfo.xml", SAGA.encode())]
    reply = read(books.tarred(tmp_path / "a.cbt", inside, kind))
    assert (found(reply).pages, found(reply).container, size(reply)) == (12, "cbt", (101, 100))
    assert (tags(reply).series, found(reply).warnings) == ("Saga", ())


def test_a_tar_archive_that_is_cut_off_has_the_pages_before(tmp_path: Path) -> None:
    path = books.tarred(
        tmp_path / "a.cbt", [books.tar_file(f"{n}.jpg", media.picture(100, 100)) for n in range(9)]
    )
    reply = read(media.truncated(path, 0.3))
    assert 0 < (found(reply).pages or 0) < 9
    assert "cut off" in found(reply).warnings[0]


def test_what_a_tar_header_claims_is_not_read(tmp_path: Path) -> None:
    """A name of 8 GB, and a page of as many."""
    name, page = tarfile.TarInfo("././@LongLink"), tarfile.TarInfo("1.jpg")
    name.type, name.size, page.size = tarfile.GNUTYPE_LONGNAME, 8 << 30, 8 << 30
    for member in (name, page):
        data = books.tar_file("0.jpg", media.picture(10, 10))
        head = (
            data[0].tobuf()
            + data[1].ljust(-(-len(data[1]) // 512) * 512, b"\0")
            + member.tobuf(tarfile.GNU_FORMAT)
        )
        assert size(read(head + bytes(512), "a.cbt")) == (10, 10)
