"""HEIC, AVIF, JPEG XL and SVG: decoded where something here can, measured where nothing can, turned once."""

from __future__ import annotations

import time

import pytest
from PIL import Image

from schemas.found import Place
from tests.support import pictures, raw_files
from tests.support.picture_probing import EXIF, TURNED, cover, found, is_black, read, saved, size, striped


@pytest.mark.parametrize("depth", [8, 10])
def test_a_heic_gives_what_a_jpeg_does(depth: int) -> None:
    reply = read(pictures.heic((640, 480), exif=EXIF, depth=depth), "a.heic")
    seen = found(reply)
    assert (seen.container, seen.width, seen.height, seen.warnings) == ("heic", 640, 480, ())
    assert (seen.taken, seen.camera, seen.taken_at) == ("2019-01-02T03:04:05", "Canon EOS R5", Place(52.52, 13.41))
    assert cover(reply).size == (480, 360)
    assert is_black(cover(reply), 0.1, 0.5)
    assert not is_black(cover(reply), 0.9, 0.5)


def test_a_heic_on_its_side_is_turned_once_although_its_exif_says_it_again() -> None:
    reply = read(pictures.heic((640, 480), exif=TURNED, turns=3), "a.heic")
    assert size(reply) == (480, 640)
    assert cover(reply).size == (360, 480)
    assert is_black(cover(reply), 0.5, 0.1)
    assert not is_black(cover(reply), 0.5, 0.9)
    assert size(read(pictures.heic((640, 480), exif=TURNED), "a.heic")) == (640, 480)


def test_a_heic_of_tiles_is_one_picture() -> None:
    tile = pictures.hevc(Image.new("RGB", (256, 256), "blue"))
    whole = pictures.heif(pictures.grid(3, 2, (256, 256), (2, 3, 4, 5, 6, 7), pictures.irot(1)), *[tile] * 6)
    reply = read(whole, "a.heic")
    assert size(reply) == (512, 768)
    assert cover(reply).size == (320, 480)


def test_a_heic_too_large_to_decode_shows_its_small_version() -> None:
    tile = pictures.hevc(Image.new("RGB", (256, 256), "blue"))
    small = pictures.hevc(striped(320, 240))
    refers = ((b"thmb", (1,)),)
    items = [tile] * (40 * 20) + [pictures.Item(small.kind, small.data, small.properties, refers)]
    tiles = tuple(range(2, 2 + 40 * 20))
    reply = read(pictures.heif(pictures.grid(40, 20, (256, 256), tiles), *items), "a.heic")
    assert size(reply) == (10_240, 5_120)
    assert (cover(reply).size, found(reply).warnings) == ((320, 240), ())
    assert is_black(cover(reply), 0.1, 0.5)
    without = read(pictures.heif(pictures.grid(40, 20, (256, 256), tiles), *items[:-1]), "a.heic")
    assert (size(without), without.picture) == ((10_240, 5_120), None)
    assert found(without).warnings == ("no picture of it: it is too large to be decoded",)


def test_an_avif_is_turned_once_and_stays_with_its_own_reader() -> None:
    reply = read(saved(striped(640, 480), "AVIF", exif=b"Exif\0\0" + TURNED), "a.avif")
    assert (size(reply), found(reply).container) == ((480, 640), "avif")
    assert cover(reply).size == (360, 480)
    assert is_black(cover(reply), 0.5, 0.1)
    sequence = saved(striped(64, 48), "AVIF", save_all=True, append_images=[striped(64, 48)] * 3)
    assert size(read(sequence, "a.avif")) == (64, 48)


def test_tiles_that_are_larger_than_the_whole_are_not_all_decoded() -> None:
    tile = pictures.hevc(Image.new("RGB", (4_096, 4_096), "blue"))
    whole = pictures.heif(pictures.grid(8, 8, (64, 64), tuple(range(2, 66))), *[tile] * 64)
    began = time.process_time()
    assert read(whole, "a.heic").status == "done"
    assert time.process_time() - began < 3
    honest = pictures.grid(2, 1, (4_096, 4_096), (2, 3))
    assert size(read(pictures.heif(honest, tile, tile), "a.heic")) == (8_192, 4_096)


def test_of_a_broken_heic_the_small_version_is_shown() -> None:
    large, small = (
        pictures.hevc(Image.effect_noise((640, 480), 60).convert("RGB")),
        pictures.hevc(striped(320, 240)),
    )
    broken = pictures.Item(large.kind, b"\0\0\0\x02\x26\1" + bytes(len(large.data) - 6), large.properties)
    beside = pictures.Item(small.kind, small.data, small.properties, ((b"thmb", (1,)),))
    reply = read(pictures.heif(broken, beside), "a.heic")
    assert (size(reply), cover(reply).size) == ((640, 480), (320, 240))
    assert found(reply).warnings == ("a part of it is damaged",)


def test_a_sequence_shows_its_first_picture() -> None:
    reply = read(pictures.sequence(striped(320, 240)), "a.heics")
    assert (size(reply), found(reply).container, found(reply).warnings) == ((320, 240), "heic", ())
    assert cover(reply).size == (320, 240)
    assert is_black(cover(reply), 0.1, 0.5)


@pytest.mark.parametrize("kind", [b"\x80\0\0\0", b"mi\xffe", b"\0\0\0\0"])
def test_a_heic_with_a_nameless_piece_does_not_end_the_process(kind: bytes) -> None:
    whole = pictures.heic((64, 48), exif=EXIF)
    reply = read(whole.replace(b"Exif\0", kind + b"\0", 1), "a.heic")
    assert size(reply) == (64, 48)


def test_a_heic_without_its_end_is_known_by_its_boxes() -> None:
    whole = pictures.heic((640, 480), exif=EXIF)
    reply = read(whole[: whole.index(b"mdat")], "a.heic")
    assert (size(reply), reply.picture) == ((640, 480), None)
    assert found(reply).warnings[0].startswith("no picture of it: ")


# JPEG XL and SVG


@pytest.mark.parametrize(("wide", "high", "ratio"), [
    (64, 48, 0), (256, 256, 1), (3840, 2160, 5), (9504, 6336, 0), (333, 8191, 0), (100_000, 1, 0), (1200, 1000, 2),
    (4000, 2000, 7), (262_144, 262_145, 0),
])  # fmt: skip
def test_a_jpeg_xl_gives_its_size(wide: int, high: int, ratio: int) -> None:
    reply = read(raw_files.jxl_codestream(wide, high, ratio=ratio), "a.jxl")
    assert (size(reply), found(reply).container, reply.picture) == ((wide, high), "jxl", None)
    assert found(reply).warnings == ("no picture of it: JPEG XL cannot be decoded here",)


@pytest.mark.parametrize("parts", [False, True])
def test_a_jpeg_xl_in_boxes_gives_its_exif_and_is_turned_once(parts: bool) -> None:
    data = raw_files.jxl_container(raw_files.jxl_codestream(4000, 3000, orientation=6), TURNED, parts=parts)
    assert size(read(data, "a.jxl")) == (3000, 4000)
    assert found(read(data, "a.jxl")).camera == "Canon EOS R5"


@pytest.mark.parametrize(("text", "sides"), [
    ('<svg width="120" height="80"/>', (120, 80)),
    ("<?xml version='1.0'?>\n<!-- <svg width='1' height='1'> -->\n<svg width='1in' height='2.54cm' x='<'>", (96, 96)),
    ('<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x"><svg viewBox="0 0 30.4 20" width="100%">', (30, 20)),
    ('<svg:svg xmlns:svg="http://www.w3.org/2000/svg" viewBox="0,0,30,20">', (30, 20)),
    ('<svg data-width="5" width="0" height="80">', (None, None)),
    ('<svg width="1e9" height="99999999999">', (None, None)),
    ("<svg", (None, None)),
])  # fmt: skip
def test_an_svg_is_measured_and_not_drawn(text: str, sides: tuple[int | None, int | None]) -> None:
    for data in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16")):
        reply = read(data, "a.svg")
        if text == "<svg":
            assert reply.status == "failed"
        else:
            assert (size(reply), found(reply).container, found(reply).warnings) == (sides, "svg", ())


def test_a_hostile_svg_does_nothing() -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 30))
    for begin in (
        f'<!DOCTYPE svg [<!ENTITY a0 "b">{entities}]>', '<!DOCTYPE svg SYSTEM "file:///etc/passwd">', "<!---->" * 9_000,
        "<!DOCTYPE>" * 6_000, "<?x?>" * 10_000, " " * 60_000, "<!DOCTYPE [" + "] " * 30_000,
    ):  # fmt: skip
        reply = read(
            (begin + '<svg width="3" height="4"><script>x()</script><image href="http://x/"/>').encode(), "a.svg"
        )
        assert (reply.status, reply.picture) in (("done", None), ("failed", None))
    many = " ".join(f'a{n}="&a29;"' for n in range(10_000))
    assert found(read(f"<svg {many} width='3'>".encode(), "a.svg")).container == "svg"
