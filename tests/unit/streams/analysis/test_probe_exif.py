"""When, where and with what a photo was taken is what the camera wrote, as far as it can be true."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image, PngImagePlugin

from schemas.found import Found, Place, Tags
from streams.analysis import probe
from streams.analysis.probe import exif
from streams.analysis.wire import Request
from tests.support import pictures
from tests.support.pictures import BERLIN, Values, ascii_, camera, gps

Tagged = dict[int, tuple[int, Values]]


def found(data: bytes, name: str = "a.jpg") -> Found:
    reply = probe.probe(io.BytesIO(data), Request("image", name))
    assert reply.status == "done", reply.reason
    assert reply.found is not None
    return reply.found


def photo(**written: object) -> Found:
    """A JPEG with this Exif."""
    return found(pictures.jpeg((40, 20), exif=pictures.tiff(camera(**written))))  # type: ignore[arg-type]


def test_a_photo_gives_when_where_and_with_what_it_was_taken() -> None:
    seen = photo(gps=BERLIN, details={0xA434: ascii_("RF24-105mm F4 L IS USM")})
    assert (seen.taken, seen.year, seen.tags) == ("2019-01-02T03:04:05", 2019, Tags(date="2019:01:02 03:04:05"))
    assert (seen.camera, seen.lens) == ("Canon EOS R5", "RF24-105mm F4 L IS USM")
    assert seen.taken_at == Place(52.52, 13.41)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_format_gives_it(kind: str, order: str) -> None:
    block = pictures.tiff(camera(gps=BERLIN), order=order)
    out = io.BytesIO()
    image = Image.new("RGB", (40, 20), "red")
    if kind == "TIFF":
        image.save(out, kind, exif=Image.Exif())
        written = Image.Exif()
        written.load(b"Exif\0\0" + block)
        out = io.BytesIO()
        image.save(out, kind, exif=written)
    else:
        image.save(out, kind, exif=b"Exif\0\0" + block)
    seen = found(out.getvalue())
    assert (seen.container, seen.taken, seen.camera) == (kind.lower(), "2019-01-02T03:04:05", "Canon EOS R5")
    assert seen.taken_at == Place(52.52, 13.41)


def test_a_png_of_image_magick_gives_it() -> None:
    block = b"Exif\0\0" + pictures.tiff(camera())
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n", zip=True)
    out = io.BytesIO()
    Image.new("RGB", (40, 20)).save(out, "PNG", pnginfo=notes)
    assert found(out.getvalue(), "a.png").camera == "Canon EOS R5"


@pytest.mark.parametrize(("said", "taken"), [
    ({0x9011: "+02:00"}, "2019-01-02T03:04:05+02:00"),
    ({0x9011: "-09:30"}, "2019-01-02T03:04:05-09:30"),
    ({0x9011: "   :  "}, "2019-01-02T03:04:05"),
    ({0x9011: "+99:00"}, "2019-01-02T03:04:05"),
    ({0x9010: "+02:00"}, "2019-01-02T03:04:05"),
    ({0x9291: "123"}, "2019-01-02T03:04:05"),
])  # fmt: skip
def test_the_zone_is_read_where_the_camera_knew_it(said: dict[int, str], taken: str) -> None:
    assert photo(details={tag: ascii_(text) for tag, text in said.items()}).taken == taken


@pytest.mark.parametrize(("taken", "digitized", "changed", "right"), [
    ("2019:01:02 03:04:05", "2018:01:01 00:00:00", "2023:01:01 00:00:00", "2019-01-02T03:04:05"),
    ("0000:00:00 00:00:00", "2018:01:01 00:00:00", "2023:01:01 00:00:00", "2018-01-01T00:00:00"),
    ("    :  :     :  :  ", "", "2023:01:01 00:00:00", "2023-01-01T00:00:00"),
    ("2019:02:30 10:00:00", "2019:13:01 10:00:00", "2019:02:28 24:00:00", None),
    ("2019-01-02T03:04:05", "", "", "2019-01-02T03:04:05"),
    ("2019:01:02", "", "", "2019-01-02"),
    ("9999:01:02 03:04:05", "", "0001:01:01 00:00:00", None),
])  # fmt: skip
def test_a_time_that_is_none_gives_way_to_the_next(
    taken: str, digitized: str, changed: str, right: str | None
) -> None:
    seen = photo(date=taken, details={0x9004: ascii_(digitized)}, more={0x0132: ascii_(changed)})
    assert seen.taken == right
    assert seen.year == (None if right is None else int(right[:4]))


@pytest.mark.parametrize(("make", "model", "told"), [
    ("Canon", "Canon EOS R5", "Canon EOS R5"),
    ("NIKON CORPORATION", "NIKON D850", "NIKON D850"),
    ("SONY", "ILCE-7RM4", "SONY ILCE-7RM4"),
    ("OLYMPUS IMAGING CORP.", "E-M5", "OLYMPUS E-M5"),
    ("EASTMAN KODAK COMPANY", "KODAK DC290", "KODAK DC290"),
    ("LG Electronics", "LG-H870", "LG-H870"),
    ("Apple", "iPhone 12 Pro", "Apple iPhone 12 Pro"),
    ("", "X100", "X100"),
    ("FUJIFILM", "", "FUJIFILM"),
    ("", "", None),
])  # fmt: skip
def test_a_camera_has_its_maker_once(make: str, model: str, told: str | None) -> None:
    assert photo(make=make, model=model).camera == told


@pytest.mark.parametrize(("values", "told"), [
    ((24, 1, 70, 1, 28, 10, 28, 10), "24-70mm f/2.8"),
    ((50, 1, 50, 1, 18, 10, 18, 10), "50mm f/1.8"),
    ((18, 1, 55, 1, 35, 10, 56, 10), "18-55mm f/3.5-5.6"),
    ((18, 1, 55, 1, 0, 0, 0, 0), "18-55mm"),
    ((0, 0, 0, 0, 0, 0, 0, 0), None),
    ((24, 1, 70, 1), None),
])  # fmt: skip
def test_a_lens_without_a_name_is_what_it_can(values: tuple[int, ...], told: str | None) -> None:
    assert photo(details={0xA432: (5, values)}).lens == told
    assert photo(details={0xA432: (5, values), 0xA434: ascii_("----")}).lens == told


def test_the_height_is_below_the_sea_where_the_camera_says_so() -> None:
    for side, metres in ((0, 431.5), (1, -431.5), (2, 431.5), (3, -431.5)):
        place = photo(gps=BERLIN | {5: (1, (side,)), 6: (5, (4315, 10))}).taken_at
        assert place == Place(52.52, 13.41, metres)
    for nonsense in ((1, 0), (4_000_000_000, 1)):
        assert photo(gps=BERLIN | {6: (5, nonsense)}).taken_at == Place(52.52, 13.41)


def test_south_and_west_are_negative() -> None:
    seen = photo(gps=gps((33, 1, 51, 1, 3599, 100), "S", (70, 1, 40, 1, 0, 1), "W"))
    assert seen.taken_at == Place(-33.8599972, -70.6666667)


@pytest.mark.parametrize("nonsense", [
    gps((0, 1, 0, 1, 0, 1), "N", (0, 1, 0, 1, 0, 1), "E"),
    gps((91, 1, 0, 1, 0, 1), "N", (13, 1, 0, 1, 0, 1), "E"),
    gps((52, 1, 0, 1, 0, 1), "N", (181, 1, 0, 1, 0, 1), "E"),
    gps((52, 0, 0, 1, 0, 1), "N", (13, 1, 0, 1, 0, 1), "E"),
    gps((0, 0, 0, 0, 0, 0), "N", (0, 0, 0, 0, 0, 0), "E"),
    gps((52, 1, 61, 1, 0, 1), "N", (13, 1, 0, 1, 0, 1), "E"),
    gps((52, 1), "N", (13, 1), "E"),
    gps((52, 1, 0, 1, 0, 1), "", (13, 1, 0, 1, 0, 1), "E"),
    {1: ascii_("N"), 2: (5, (52, 1, 0, 1, 0, 1))},
    {1: ascii_("N"), 2: (10, (-52, 1, 0, 1, 0, 1)), 3: ascii_("E"), 4: (5, (13, 1, 0, 1, 0, 1))},
    {1: ascii_("N"), 2: ascii_("52"), 3: ascii_("E"), 4: (3, (13,))},
])  # fmt: skip
def test_a_place_that_is_none_is_not_read(nonsense: Tagged) -> None:
    seen = photo(gps=nonsense)
    assert (seen.taken_at, seen.camera) == (None, "Canon EOS R5")


XMP = """<?xpacket begin="\ufeff"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">
<rdf:Description><dc:title><rdf:Alt><rdf:li xml:lang="de">Boot</rdf:li><rdf:li xml:lang="x-default">A boat</rdf:li>
</rdf:Alt></dc:title><dc:description><rdf:Alt><rdf:li xml:lang="en">At sea</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_title_and_description_are_what_people_wrote(kind: str) -> None:
    out = io.BytesIO()
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("XML:com.adobe.xmp", XMP)
    more: dict[str, object] = {"pnginfo": notes} if kind == "PNG" else {"xmp": XMP.encode()}
    if kind == "TIFF":
        more = {"tiffinfo": {700: XMP.encode()}}
    Image.new("RGB", (40, 20)).save(out, kind, **more)
    assert found(out.getvalue()).tags == Tags(title="A boat", description="At sea")


def test_entities_in_it_are_not_expanded() -> None:
    hostile = '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>' + XMP.replace("A boat", "&c;")
    for written in (hostile.encode(), hostile.encode("utf-16")):
        out = io.BytesIO()
        Image.new("RGB", (40, 20)).save(out, "JPEG", xmp=written)
        assert found(out.getvalue()).tags is None


def test_older_words_are_read_where_there_are_no_newer_ones() -> None:
    datasets = ((1, 90, b"\x1b%G"), (2, 5, "Fähre".encode()), (2, 120, b"On the lake"))
    block = b"".join(b"\x1c" + struct.pack(">BBH", a, b, len(text)) + text for a, b, text in datasets)
    resource = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(block)) + block + b"\0" * (len(block) % 2)
    body = b"Photoshop 3.0\0" + resource
    plain = pictures.jpeg((40, 20))
    data = plain[:2] + b"\xff\xed" + struct.pack(">H", 2 + len(body)) + body + plain[2:]
    assert found(data).tags == Tags(title="Fähre", description="On the lake")


def test_what_a_camera_writes_where_nobody_has_written_is_no_description() -> None:
    assert photo(more={0x010E: ascii_("OLYMPUS DIGITAL CAMERA")}).tags == Tags(date="2019:01:02 03:04:05")
    tags = photo(
        more={0x010E: ascii_("Grandma's birthday"), 0x9C9B: (1, "Küche".encode("utf-16-le") + b"\0\0")}
    ).tags
    assert tags == Tags(title="Küche", date="2019:01:02 03:04:05", description="Grandma's birthday")


def test_a_broken_block_gives_nothing_and_breaks_nothing() -> None:
    whole = pictures.tiff(camera(gps=BERLIN))
    for end in range(0, len(whole), 3):
        assert found(pictures.jpeg((40, 20), exif=whole[:end])).width == 40
    assert exif.of_bytes(b"") == exif.of_bytes(b"Exif\0\0II*\0\xff\xff\xff\xff") == exif.NOTHING
