"""What is found in an EPUB is what was put into it, whatever else is wrong with it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import msgspec
import pytest

from schemas.found import Credit, Tags
from streams.analysis.probe.books import covers, words
from tests.support import books, media
from tests.support.book_probing import failure, found, read, size, tags


def test_a_book_gives_title_author_and_cover(tmp_path: Path) -> None:
    reply = read(media.book(tmp_path / "a.epub"))
    seen = found(reply)
    assert (seen.title, seen.year, seen.languages, seen.category) == ("The Quiet Sea", 1998, ("en",), "book")
    assert seen.tags == Tags(title="The Quiet Sea", artist="Ada Writer", date="1998-03-02", language="en")
    assert (seen.credits, seen.warnings) == ((Credit("Ada Writer", "author"),), ())
    assert size(reply) == (300, 400)


def test_a_book_with_a_bad_cover_is_a_book_without_one(tmp_path: Path) -> None:
    reply = read(media.book(tmp_path / "a.epub", cover=b"no picture"))
    assert (found(reply).title, reply.picture) == ("The Quiet Sea", None)
    assert found(reply).warnings == ("no picture of it: its cover cannot be read",)


ROADSIDE = """<dc:title>Roadside Picnic</dc:title>
<dc:date opf:event="modification">2021-01-01</dc:date><dc:date opf:event="publication">1972</dc:date>
<dc:creator opf:role="trl">A. W. Bouis</dc:creator><dc:creator opf:role="aut">Arkady Strugatsky</dc:creator>
<dc:creator>Boris Strugatsky</dc:creator>
<dc:contributor opf:role="ill">Ilka Drawer</dc:contributor>
<dc:contributor opf:role="bkp">calibre (5.1.0) [https://calibre-ebook.com]</dc:contributor>"""


def test_a_book_gives_who_wrote_it_and_when_it_was_published(tmp_path: Path) -> None:
    seen = found(read(books.epub(tmp_path / "a.epub", books.package(ROADSIDE, version="2.0"))))
    assert (seen.title, seen.year) == ("Roadside Picnic", 1972)
    assert seen.tags is not None
    assert seen.tags.artist == "Arkady Strugatsky, Boris Strugatsky"
    assert seen.credits == (
        Credit("A. W. Bouis", "translator"), Credit("Arkady Strugatsky", "author"),
        Credit("Boris Strugatsky", "author"), Credit("Ilka Drawer", "illustrator"),
    )  # fmt: skip


def test_an_epub_3_says_roles_series_and_main_title_in_refinements(tmp_path: Path) -> None:
    document = books.package("""<dc:title id="s">A Subtitle</dc:title><dc:title id="t">The Title</dc:title>
<meta refines="#t" property="title-type">main</meta><meta refines="#s" property="title-type">subtitle</meta>
<dc:creator id="b">Bea Editor</dc:creator><dc:creator id="a">Ada Writer</dc:creator>
<dc:contributor id="n">Nik Reader</dc:contributor>
<meta refines="#b" property="role" scheme="marc:relators">edt</meta>
<meta refines="#a" property="role" scheme="marc:relators">aut</meta>
<meta refines="#n" property="role" scheme="marc:relators">nrt</meta>
<meta property="dcterms:modified">2023-04-05T06:07:08Z</meta><dc:date>1965-08-01T00:00:00+00:00</dc:date>
<meta property="belongs-to-collection" id="all">Everything</meta>
<meta refines="#all" property="collection-type">set</meta>
<meta property="belongs-to-collection" id="c">Dune Chronicles</meta>
<meta refines="#c" property="collection-type">series</meta><meta refines="#c" property="group-position">2.5</meta>
<dc:language>en-US</dc:language><dc:language>de</dc:language><dc:publisher>Quiet House</dc:publisher>
<dc:subject>Fantasy</dc:subject><dc:subject>Sea</dc:subject>
<dc:description>&lt;p&gt;A &lt;b&gt;long&lt;/b&gt; tale &amp;amp; more.&lt;/p&gt;&lt;p&gt;End.&lt;/p&gt;</dc:description>""")
    seen = found(read(books.epub(tmp_path / "a.epub", document)))
    assert seen.tags == Tags(
        title="The Title", artist="Ada Writer", genre="Fantasy, Sea", date="1965-08-01", narrator="Nik Reader",
        series="Dune Chronicles", number="2.5", language="en-us", publisher="Quiet House",
        description="A long tale & more. End.",
    )  # fmt: skip
    assert (seen.year, seen.languages) == (1965, ("en-us", "de"))
    assert {(one.name, one.role) for one in seen.credits} == {
        ("Ada Writer", "author"), ("Bea Editor", "editor"), ("Nik Reader", "narrator"),
    }  # fmt: skip


@pytest.mark.parametrize(("dates", "year"), [
    ('<dc:date opf:event="modification">2021-01-01</dc:date><dc:date>1965</dc:date>', 1965),
    ('<dc:date>1965</dc:date><dc:date opf:event="modification">2021-01-01</dc:date>', 1965),
    ('<dc:date opf:event="creation">2021</dc:date>', None),
    ("<dc:date>0101-01-01T00:00:00+00:00</dc:date>", None),
    ('<dc:date>2004</dc:date><dc:date opf:event="original-publication">1897</dc:date>', 1897),
    ('<meta property="dcterms:issued">1954-07-29</meta><meta property="dcterms:modified">2020</meta>', 1954),
])  # fmt: skip
def test_the_year_is_that_of_the_book_and_not_of_the_file(tmp_path: Path, dates: str, year: int | None) -> None:
    assert found(read(books.epub(tmp_path / "a.epub", books.package(dates)))).year == year


def test_the_series_of_calibre_is_read(tmp_path: Path) -> None:
    series = '<meta name="calibre:series" content="Discworld"/><meta content="4.0" name="calibre:series_index"/>'
    reply = read(
        books.epub(tmp_path / "a.epub", books.package("<dc:title>Mort</dc:title>" + series, version="2.0"))
    )
    assert (tags(reply).series, tags(reply).number) == ("Discworld", "4")


def listed(id_: str, href: str, kind: str, more: str = "") -> str:
    """A manifest of one item."""
    return f'<manifest><item id="{id_}" href="{href}" media-type="{kind}" {more}/></manifest>'


PAGE = '<html><body><svg><image width="1" xlink:href="../{}"/></svg></body></html>'


@pytest.mark.parametrize(("rest", "members"), [
    (listed("x", "a%20b.jpg", "image/jpeg", 'properties="cover-image"'), ["a b.jpg"]),
    (listed("pic", "A.JPG", "image/jpeg"), ["a.jpg"]),
    ("<manifest/>", ["art/pic"]),
    ('<guide><reference type="cover" href="t/c.xhtml"/></guide>', ["t/c.xhtml", "p.jpg"]),
    (listed("f", "t/f.xhtml", "application/xhtml+xml") + '<spine><itemref idref="f"/></spine>', ["t/f.xhtml", "p.jpg"]),
    (listed("f", "images/Cover.jpeg", "image/jpeg"), ["images/Cover.jpeg"]),
])  # fmt: skip
def test_the_cover_is_found_in_every_way_that_books_name_it(tmp_path: Path, rest: str, members: list[str]) -> None:
    content = "pic" if 'id="pic"' in rest else "art/pic" if members == ["art/pic"] else "nothing"
    inside: dict[str, bytes | str] = {
        f"OEBPS/{name}": PAGE.format("p.jpg") if name.endswith("xhtml") else media.picture(30, 40)
        for name in members
    }
    document = books.package(f'<meta name="cover" content="{content}"/>', rest, "2.0")
    assert size(read(books.epub(tmp_path / "a.epub", document, inside))) == (30, 40)


def test_a_drawn_cover_is_passed_over(tmp_path: Path) -> None:
    rest = listed("x", "c.svg", "image/svg+xml", 'properties="cover-image"')
    reply = read(books.epub(tmp_path / "a.epub", books.package("", rest), {"OEBPS/c.svg": "<svg/>"}))
    assert (reply.picture, found(reply).warnings) == (None, ())


def test_a_book_whose_package_is_elsewhere_is_read_with_a_warning(tmp_path: Path) -> None:
    path = books.zipped(tmp_path / "a.epub", {
        "META-INF/container.xml": media.container_xml(), "other/content.opf": books.package("<dc:title>T</dc:title>"),
    })  # fmt: skip
    reply = read(path)
    assert tags(reply).title == "T"
    assert found(reply).warnings == (
        "it does not say rightly where its contents begin; they were found all the same",
    )


def test_a_book_of_which_only_the_cover_is_left_is_done(tmp_path: Path) -> None:
    inside: dict[str, bytes | str] = {
        "META-INF/container.xml": media.container_xml(),
        "OEBPS/cover.jpg": media.picture(30, 40),
    }
    reply = read(books.zipped(tmp_path / "a.epub", inside))
    assert (found(reply).tags, size(reply)) == (None, (30, 40))
    assert found(reply).warnings == ("it does not say where its contents begin",)
    assert "contents begin" in failure(
        read(books.zipped(tmp_path / "b.epub", {"mimetype": "application/epub+zip"}))
    )


def test_what_is_protected_is_read_as_far_as_it_is_clear(tmp_path: Path) -> None:
    locked = {"META-INF/encryption.xml": "<encryption/>", "META-INF/rights.xml": "<rights/>"}
    reply = read(books.epub(tmp_path / "a.epub", books.package("<dc:title>T</dc:title>"), locked))
    assert (tags(reply).title, found(reply).warnings) == ("T", ())


def test_a_package_that_ends_too_early_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    reply = read(books.epub(tmp_path / "a.epub", books.package("<dc:title>T</dc:title>")[:-40]))
    assert tags(reply).title == "T"
    assert found(reply).warnings == ("OEBPS/book.opf in it is no whole XML",)


def test_a_package_that_is_damaged_is_read_as_far_as_it_can_be_unpacked() -> None:
    document = books.package("<dc:title>T</dc:title>" + "<meta/>" * 2_000)
    with zipfile.ZipFile(stored := io.BytesIO(), "w") as archive:
        archive.writestr("META-INF/container.xml", media.container_xml())
        archive.writestr("OEBPS/book.opf", document)
    data = bytearray(stored.getvalue())
    data[data.rindex(b"<meta/>", 0, 12_000) + 2] = ord("x")
    reply = read(bytes(data), "a.epub")
    assert tags(reply).title == "T"
    assert found(reply).warnings == ("OEBPS/book.opf in it is damaged",)


def test_a_prefix_that_nobody_declared_hurts_nobody(tmp_path: Path) -> None:
    document = (
        '<package><metadata><dc:title>T</dc:title><dc:creator opf:role="edt">B</dc:creator></metadata></package>'
    )
    seen = found(read(books.epub(tmp_path / "a.epub", document)))
    assert (seen.title, seen.credits, seen.warnings) == ("T", (Credit("B", "editor"),), ())


def test_a_bomb_is_unpacked_no_further_than_its_cap(tmp_path: Path) -> None:
    reply = read(media.zip_bomb(tmp_path / "a.epub", 20_000_000))
    assert failure(reply) == "OEBPS/book.opf in it is larger than 4194304 bytes"


def test_entities_are_refused(tmp_path: Path) -> None:
    inside = {"META-INF/container.xml": '<!DOCTYPE x [<!ENTITY a "b">]><container/>'}
    assert (
        failure(read(books.zipped(tmp_path / "a.epub", inside))) == "META-INF/container.xml in it defines entities"
    )


def test_a_tree_without_end_is_refused(tmp_path: Path) -> None:
    for document in ("<a>" * 200_000, books.package("<x/>" * 150_000)):
        reply = read(books.epub(tmp_path / "a.epub", document))
        assert found(reply).warnings == ("OEBPS/book.opf in it has too many elements",)


def test_packed_or_locked_in_another_way_is_said_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("META-INF/container.xml", media.container_xml())
        archive.writestr("OEBPS/book.opf", books.package(""))
    assert failure(read(path)) == "OEBPS/book.opf in it is packed in a way that is not read here"


def test_everything_that_a_book_says_fits_a_record(tmp_path: Path) -> None:
    long = "\U0001f600" * 5_000
    people = "".join(
        f"<dc:creator>{n}{long[:150]}</dc:creator><dc:subject>{n}{long[:400]}</dc:subject>" for n in range(500)
    )
    document = books.package(f"<dc:title>{long}</dc:title><dc:description>{long}</dc:description>{people}")
    reply = read(books.epub(tmp_path / "a.epub", document))
    assert len(found(reply).credits) == words.MAX_CREDITS
    assert len(msgspec.json.encode(found(reply))) < 32_768


def test_a_cover_of_any_size_costs_no_more_than_the_cover(tmp_path: Path) -> None:
    for cover in (media.huge_png(tmp_path / "a.png").read_bytes(), bytes(covers.MAX_COVER_BYTES + 1)):
        reply = read(media.book(tmp_path / "a.epub", cover=cover))
        assert (found(reply).title, reply.picture) == ("The Quiet Sea", None)
        assert found(reply).warnings[0].startswith("no picture of it: ")
