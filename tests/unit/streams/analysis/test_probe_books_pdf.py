"""Of a PDF the metadata are read and the first page is rendered, even if the file is malicious."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from schemas.found import Credit, Tags
from tests.support import books
from tests.support.book_probing import failure, found, read, size, tags


def test_a_pdf_gives_title_author_pages_and_cover() -> None:
    info = {
        "Title": "Der große Fjörd", "Author": "Ada Writer; Öla Björk", "Subject": "A tale of the sea",
        "CreationDate": "D:20190203101112+01'00'", "Publisher": "Quiet House",
    }  # fmt: skip
    reply = read(books.pdf(17, info), "a.pdf")
    seen = found(reply)
    assert seen.tags == Tags(
        title="Der große Fjörd", artist="Ada Writer, Öla Björk", date="2019-02-03", language="en-gb",
        publisher="Quiet House", description="A tale of the sea",
    )  # fmt: skip
    assert (seen.title, seen.year, seen.pages, seen.container) == ("Der große Fjörd", None, 17, "pdf")
    assert (seen.credits, seen.warnings) == ((Credit("Ada Writer", "author"), Credit("Öla Björk", "author")), ())
    assert size(reply) == (339, 480)
    assert reply.picture is not None
    with Image.open(io.BytesIO(reply.picture.data)) as cover:
        red, white = cover.convert("RGB").getpixel((300, 20)), cover.convert("RGB").getpixel((170, 400))
        letters = cover.convert("L").crop((40, 120, 170, 145)).getextrema()
    assert isinstance(red, tuple)
    assert red[0] > 200 > 80 > red[1]
    assert white == (255, 255, 255)
    assert isinstance(letters[0], (int, float))
    assert letters[0] < 60  # words are drawn, in a font that the document does not bring along


def test_a_title_in_the_pdf_s_own_encoding_is_read() -> None:
    assert tags(read(books.pdf(1, {"Title": b"(Caf\xe9 \x84 \\(2\\))"}), "a.pdf")).title == "Café — (2)"


@pytest.mark.parametrize("title", [
    "Microsoft Word - Letter final.doc", "untitled", "Untitled-3", "book.indd", r"C:\Temp\x", "file:///a/b", "  ",
    "Scan 12.pdf",
])  # fmt: skip
def test_a_title_that_a_program_made_up_is_none(title: str) -> None:
    assert found(read(books.pdf(2, {"Title": title}), "a.pdf")).title is None


@pytest.mark.parametrize("title", ["1984", "Unknown Soldiers", "Document of Murder", "The .NET Book", "St. Ives"])
def test_a_title_is_kept_that_only_looks_like_one(title: str) -> None:
    assert found(read(books.pdf(2, {"Title": title}), "a.pdf")).title == title


@pytest.mark.parametrize("date", ["D:00000000", "yesterday", "D:1904", "D:9999"])
def test_a_date_on_which_no_pdf_was_made_is_none(date: str) -> None:
    assert tags(read(books.pdf(2, {"CreationDate": date}), "a.pdf")).date is None


def test_a_pdf_behind_a_password_is_whole_all_the_same() -> None:
    reply = read(books.locked_pdf(), "a.pdf")
    assert (found(reply).container, reply.picture) == ("pdf", None)
    assert found(reply).warnings == ("it is protected by a password: what is in it cannot be read",)


def test_a_pdf_of_which_no_page_is_left_has_failed() -> None:
    lost = "it is damaged or cut off: no page of it can be found"
    assert failure(read(b"%PDF-1.7 and nothing else", "a.pdf")) == lost
    assert failure(read(books.pdf(17)[:800], "a.pdf")) == lost


def test_a_pdf_whose_table_of_contents_is_wrong_is_read_without_a_word() -> None:
    data = books.pdf(17, {"Title": "T"})
    reply = read(data.replace(b"startxref\n", b"startxref\n9"), "a.pdf")
    assert (tags(reply).title, found(reply).pages, found(reply).warnings) == ("T", 17, ())


def test_a_pdf_that_was_written_to_and_then_cut_off_is_read_with_a_warning() -> None:
    """What was added later stands behind the first end."""
    data = books.pdf(17, {"Title": "T"}) + b"900 0 obj\n<<>>\nendobj\n" + b"9" * 9_000
    reply = read(data, "a.pdf")
    assert (tags(reply).title, found(reply).pages) == ("T", 17)
    assert found(reply).warnings == ("it is cut off: some of it is missing",)


def test_the_number_of_pages_is_not_trusted() -> None:
    reply = read(books.pdf(3, {"Title": "T"}, count=1_000_000), "a.pdf")
    assert (tags(reply).title, found(reply).pages) == ("T", None)
    assert found(reply).warnings == ("it has fewer pages than it says; how many is not known",)


@pytest.mark.parametrize(
    "box", ["0 0 1000000000 1000000000", "0 0 0.001 0.001", "-5 -5 -900 -1000", "0 0 1e400 x"]
)
def test_a_page_of_any_size_has_a_small_cover(box: str) -> None:
    reply = read(books.pdf(1, box=box), "a.pdf")
    seen = size(reply)
    assert seen is not None, reply
    assert max(seen) == 480


def test_a_page_tree_that_leads_back_to_itself_ends() -> None:
    objects = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Count 5/Kids[2 0 R 2 0 R]>>"}
    reply = read(books.pdf_objects(objects), "a.pdf")
    assert (reply.picture, found(reply).pages) == (None, None)


def test_a_picture_that_no_memory_holds_costs_the_cover_at_most() -> None:
    entries = b"/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceRGB"
    data = books.pdf(
        2, {"Title": "T"}, content=b"595 0 0 842 0 0 cm /X Do", resources=b"/XObject<</X 900 0 R>>",
        more={900: books.pdf_stream(bytes(1_000), entries)},
    )  # fmt: skip
    assert (tags(read(data, "a.pdf")).title, found(read(data, "a.pdf")).pages) == ("T", 2)


def test_a_pdf_is_read_where_it_is_needed(tmp_path: Path) -> None:
    """One of 2 GB: a picture on its second page."""
    data = books.pdf(2, {"Title": "T"}, more={900: b"<</Length 9>>stream\nHOLE\nendstream"})
    start, behind = data.index(b"HOLE"), 2_000_000_000
    table = data.index(b"xref\n0")
    path = tmp_path / "a.pdf"
    with path.open("wb") as file:
        file.write(data[:start])
        file.seek(behind, io.SEEK_CUR)
        file.write(data[start:].replace(b"startxref\n%d" % table, b"startxref\n%d" % (table + behind)))
    reply = read(path)
    assert (tags(reply).title, found(reply).pages, size(reply)) == ("T", 2, (339, 480))
