"""A raw file shows the JPEG that its camera put into it, and says what the camera wrote; the sensor is not developed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from schemas.found import Found, Place, Tags
from streams.analysis import probe
from streams.analysis.wire import Reply, Request
from tests.support import pictures, raw_files
from tests.support.pictures import BERLIN, Directory, Values, ascii_, camera

SIZES = {
    "cr2": (1200, 800), "nef": (6016, 4016), "arw": (9600, 6376), "dng": (4000, 3000), "pef": (6080, 4032),
    "orf": (4640, 3472), "rw2": (4592, 3456), "raf": (6000, 4000), "cr3": (6000, 4000), "mrw": (2560, 1920),
}  # fmt: skip
CAMERAS = {
    "cr2": "Canon EOS R5", "nef": "NIKON D850", "arw": "SONY ILCE-7RM4", "dng": "Apple iPhone 12 Pro", "pef": "PENTAX K-1",
    "orf": "OLYMPUS E-M5", "rw2": "Panasonic DC-GH5", "raf": "FUJIFILM X-T4", "cr3": "Canon EOS R5",
    "mrw": "KONICA MINOLTA DYNAX 5D",
}  # fmt: skip
COVERS = {"nef": (480, 320), "pef": (480, 320)}
RED, BLUE = (254, 0, 0), (0, 0, 254)


def read(data: bytes, name: str) -> Reply:
    return probe.probe(io.BytesIO(data), Request("image", name))


def found(reply: Reply) -> Found:
    assert reply.status == "done", reply.reason
    assert reply.found is not None
    return reply.found


def colour(reply: Reply, x: float = 0.7, y: float = 0.5) -> str:
    """Of the cover, there."""
    assert reply.picture is not None
    with Image.open(io.BytesIO(reply.picture.data)) as cover:
        pixel = cover.convert("RGB").getpixel((int(cover.width * x), int(cover.height * y)))
    assert isinstance(pixel, tuple)
    return {True: "black"}.get(max(pixel) < 60, ("red", "green", "blue")[pixel.index(max(pixel))])


@pytest.mark.parametrize("kind", [kind for kind in raw_files.ALL if kind != "mrw"])
def test_a_raw_file_gives_its_sensor_its_camera_and_its_day_and_shows_its_preview(kind: str) -> None:
    reply = read(raw_files.ALL[kind](), f"a.{kind}")
    seen = found(reply)
    assert (seen.container, seen.width, seen.height) == (kind, *SIZES[kind])
    assert (seen.camera, seen.taken, seen.year) == (CAMERAS[kind], "2019-01-02T03:04:05", 2019)
    assert (seen.category, seen.warnings, seen.tags) == ("photo", (), Tags(date="2019:01:02 03:04:05"))
    assert reply.picture is not None
    assert (reply.picture.width, reply.picture.height) == (480, 320)


def test_taken_is_the_smallest_preview_that_is_large_enough() -> None:
    assert colour(read(raw_files.ALL["dng"](), "a.dng")) == "red"
    assert colour(read(raw_files.ALL["cr3"](), "a.cr3")) == "red"
    assert colour(read(raw_files.ALL["nef"](), "a.nef")) == "blue"


@pytest.mark.parametrize("kind", ["cr2", "nef", "arw", "dng", "pef", "raf", "rw2"])
def test_a_raw_file_on_its_side_is_turned_once(kind: str) -> None:
    make = getattr(raw_files, kind)
    reply = read(make(camera(orientation=6)), f"a.{kind}")
    assert (found(reply).height, found(reply).width) == SIZES[kind]
    assert reply.picture is not None
    assert (reply.picture.width, reply.picture.height) == (320, 480)
    assert (colour(reply, 0.5, 0.1), colour(reply, 0.5, 0.8) != "black") == ("black", True)


def test_what_a_raw_file_is_stands_in_it_and_not_in_its_name() -> None:
    assert found(read(raw_files.ALL["nef"](), "a.jpg")).container == "nef"
    assert found(read(raw_files.ALL["dng"](), "a.tif")).container == "dng"
    assert found(read(raw_files.ALL["raf"](), "a.nef")).container == "raf"
    assert found(read(raw_files.ALL["orf"](), "a")).container == "orf"
    assert found(read(raw_files.ALL["rw2"](), "a.rwl")).container == "rwl"


@pytest.mark.parametrize(("extension", "make"), [
    ("srw", "SAMSUNG"), ("3fr", "Hasselblad"), ("iiq", "Phase One"), ("erf", "SEIKO EPSON CORP."), ("nrw", "NIKON"),
    ("kdc", "EASTMAN KODAK COMPANY"), ("mef", "Mamiya-OP Co.,Ltd."), ("mos", "Leaf"), ("sr2", "SONY"),
])  # fmt: skip
def test_the_makers_that_write_tiff_are_read_alike(extension: str, make: str) -> None:
    reply = read(raw_files.arw(camera(make=make, model="X")), f"a.{extension}")
    assert (found(reply).container, found(reply).width) == (extension, 9600)
    assert (colour(reply), found(reply).taken) == ("red", "2019-01-02T03:04:05")


def test_a_plain_tiff_is_no_raw_file() -> None:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(out, "TIFF")
    seen = found(read(out.getvalue(), "a.tif"))
    assert (seen.container, seen.width, seen.height) == ("tiff", 30, 20)


def test_lens_and_place_come_from_wherever_the_maker_writes_them() -> None:
    seen = found(read(raw_files.dng(camera(gps=BERLIN)), "a.dng"))
    assert (seen.lens, seen.taken_at) == ("24-70mm f/2.8", Place(52.52, 13.41))
    boxed = raw_files.cr3(
        Directory({0x010F: ascii_("Canon")}), Directory({0xA434: ascii_("RF24-105mm F4 L")}), Directory(BERLIN)
    )
    assert (found(read(boxed, "a.cr3")).lens, found(read(boxed, "a.cr3")).taken_at) == (
        "RF24-105mm F4 L", Place(52.52, 13.41),
    )  # fmt: skip
    assert found(read(raw_files.raf(camera(gps=BERLIN)), "a.raf")).taken_at == Place(52.52, 13.41)


def test_a_raw_file_without_a_preview_is_one_all_the_same() -> None:
    reply = read(raw_files.ALL["mrw"](), "a.mrw")
    seen = found(reply)
    assert (seen.container, seen.width, seen.height, seen.camera) == ("mrw", *SIZES["mrw"], CAMERAS["mrw"])
    assert reply.picture is None
    assert seen.warnings == ("no picture of it: this kind of raw file is not read here",)
    empty = raw_files.raf(camera())[:116]
    assert found(read(empty, "a.raf")).warnings == ("no picture of it: there is no preview in it",)


@pytest.mark.parametrize(("data", "kind"), [(b"II\x1a\0\0\0HEAPCCDR\2\0\1\0", "crw"), (b"FOVb\3\0\2\0", "x3f")])
def test_raw_files_of_which_nothing_is_read_are_known_by_their_sign(data: bytes, kind: str) -> None:
    seen = found(read(data + bytes(50), f"a.{kind}"))
    assert seen.container == kind
    assert seen.warnings == ("no picture of it: this kind of raw file is not read here",)


@pytest.mark.parametrize(("said", "seen"), [
    ((9504, 6336), (9504, 6336)), ((1616, 1080), (9600, 6376)), ((0, 0), (9600, 6376)), ((12000, 8000), (12000, 8000)),
])  # fmt: skip
def test_the_size_is_what_the_camera_means_to_be_seen(said: tuple[int, int], seen: tuple[int, int]) -> None:
    main = camera(make="SONY", details={0xA002: (4, (said[0],)), 0xA003: (4, (said[1],))})
    told = found(read(raw_files.arw(main), "a.arw"))
    assert (told.width, told.height) == seen


def test_a_bitmap_is_a_preview_too() -> None:
    """As in a DNG that was converted without previews."""
    pixels = bytes((255, 0, 0)) * (96 * 64)
    below: Values = [raw_files.sensor(6000, 4000)]

    def build(places: list[int]) -> bytes:
        bitmap: raw_files.Tags = {
            0x00FE: (4, (1,)), 0x0100: (4, (96,)), 0x0101: (4, (64,)), 0x0102: (3, (8, 8, 8)), 0x0103: (3, (1,)),
            0x0106: (3, (2,)), 0x0111: (4, (places[0],)), 0x0115: (3, (3,)), 0x0116: (4, (64,)),
            0x0117: (4, (len(pixels),)), 0x014A: (4, below), 0xC612: (1, (1, 4, 0, 0)),
        }  # fmt: skip
        return pictures.tiff(Directory(camera(orientation=6).tags | bitmap))

    reply = read(raw_files.with_parts(build, pixels), "a.dng")
    assert (found(reply).container, found(reply).width, found(reply).height) == ("dng", 4000, 6000)
    assert (colour(reply), found(reply).warnings) == ("red", ())
    assert reply.picture is not None
    assert (reply.picture.width, reply.picture.height) == (64, 96)


def test_text_is_no_raw_file(tmp_path: Path) -> None:
    for kind in raw_files.ALL:
        reply = read(b"this is a text, whatever its name says\n" * 50, f"a.{kind}")
        assert (reply.status, reply.reason) == ("failed", f"it is no picture, although its name says {kind}")


def test_directories_that_point_to_each_other_end() -> None:
    data = bytearray(raw_files.ALL["nef"]())
    first = pictures.tiff(camera(), camera())
    looped = bytearray(first)
    at = int.from_bytes(looped[8:10], "little") * 12 + 10
    looped[at : at + 4] = (8).to_bytes(4, "little")
    assert found(read(bytes(looped), "a.nef")).camera == "Canon EOS R5"
    for place in range(8, 400, 11):
        wild = bytearray(data)
        wild[place : place + 4] = b"\xff\xff\xff\xff"
        assert read(bytes(wild), "a.nef").status in ("done", "failed")
