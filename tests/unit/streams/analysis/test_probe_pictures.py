"""Pictures are what they are, whatever their name says; what cannot be shown of one decides nothing else."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from schemas.analysis import Job
from schemas.found import Found, Place
from streams.analysis import probe, remote
from streams.analysis.analyst import Analyst, without_place
from streams.analysis.children import Children
from streams.analysis.probe import decoding, thumbnail
from streams.analysis.wire import Reply, Request, failed
from streams.settings import AnalysisSettings
from tests.support import media, pictures, raw_files
from tests.support.picture_probing import EXIF, cover, found, is_black, read, saved, size, striped
from tests.support.pictures import camera

# Content over extension


def contents() -> dict[str, bytes]:
    image = striped(64, 48)
    return {
        "jpeg": saved(image, "JPEG"), "png": saved(image, "PNG"), "webp": saved(image, "WEBP"), "gif": saved(image, "GIF"),
        "heic": pictures.heic((64, 48)), "avif": saved(image, "AVIF"), "tiff": saved(image, "TIFF"),
        "bmp": saved(image, "BMP"), "jpeg2000": saved(image, "JPEG2000"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.heic", "a.svg", "a.dng", "a.cr3", "a.raw", "a"])
def test_what_a_picture_is_stands_in_it(name: str) -> None:
    for kind, data in contents().items():
        assert (found(read(data, name)).container, size(read(data, name))) == (kind, (64, 48))
        assert is_black(cover(read(data, name)), 0.1, 0.5)


@pytest.mark.parametrize(
    "text", [b"", b"a text\n" * 100, b"<!DOCTYPE html><html><svg/></html>", b"\0" * 5_000, b"P1 2"]
)
@pytest.mark.parametrize("extension", ["jpg", "png", "heic", "svg", "webp", "tif", "jxl", "gif", "tga"])
def test_what_is_no_picture_has_failed_with_a_plain_reason(text: bytes, extension: str) -> None:
    reply = read(text, f"a.{extension}")
    assert (reply.status, reply.reason) == ("failed", f"it is no picture, although its name says {extension}")


def test_a_picture_whose_beginning_is_broken_has_failed_with_a_plain_reason() -> None:
    reply = read(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(50))
    assert reply.reason == "its beginning is damaged: nothing of this JPEG picture can be read"


def test_a_format_that_nobody_here_knows_is_no_failure() -> None:
    reply = read(os.urandom(100), "a.raw")
    assert found(reply).warnings == ("no picture of it: its format is not known here",)


# Modes and colours


@pytest.mark.parametrize(("mode", "kind"), [
    ("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("I;16", "PNG"), ("P", "GIF"),
    ("CMYK", "JPEG"), ("L", "JPEG"), ("CMYK", "TIFF"), ("F", "TIFF"), ("I", "TIFF"), ("I;16", "TIFF"), ("1", "TIFF"),
    ("LAB", "TIFF"), ("RGBA", "WEBP"), ("L", "JPEG2000"), ("RGBA", "TIFF"), ("YCbCr", "TIFF"), ("I;16", "JPEG2000"),
])  # fmt: skip
def test_every_mode_is_shown(mode: str, kind: str) -> None:
    grey = Image.linear_gradient("L").rotate(90).resize((600, 300))
    image = grey.convert("F").point(lambda v: v * 257.0 + 0.0).convert("I").convert(mode) if "I" in mode else None
    if image is None:
        image = ImageCms.profileToProfile(
            grey.convert("RGB"), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        ) if mode == "LAB" else grey.convert(mode)  # fmt: skip
    assert image is not None
    reply = read(saved(image, kind), f"a.{kind.lower()}")
    shown = cover(reply).convert("L")
    left, right = shown.getpixel((20, 120)), shown.getpixel((shown.width - 20, 120))
    assert (size(reply), found(reply).warnings, shown.size) == ((600, 300), (), (480, 240))
    assert isinstance(left, int)
    assert isinstance(right, int)
    assert abs(left - right) > 150


def test_transparent_parts_are_white() -> None:
    image = Image.new("RGBA", (40, 20), (255, 0, 0, 0))
    assert cover(read(saved(image, "PNG"))).getpixel((5, 5)) == (255, 255, 255)
    palette = Image.new("P", (40, 20), 3)
    assert cover(read(saved(palette, "GIF", transparency=3))).getpixel((5, 5)) == (255, 255, 255)


def test_colours_are_those_of_a_screen() -> None:
    """What a profile says of them is done; one that is nonsense is left alone."""
    for kind in ("JPEG", "PNG", "TIFF", "WEBP"):
        blue = cover(
            read(saved(Image.new("RGB", (900, 600), "red"), kind, icc_profile=pictures.swapped_colours()))
        )
        assert isinstance(shown := blue.getpixel((5, 5)), tuple)
        assert shown[2] > 200 > 60 > shown[0]
    plain = cover(read(saved(Image.new("RGB", (40, 20), (200, 30, 30)), "PNG"))).getpixel((5, 5))
    for profile in (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"nonsense" * 100):
        same = cover(read(saved(Image.new("RGB", (40, 20), (200, 30, 30)), "PNG", icc_profile=profile)))
        assert isinstance(pixel := same.getpixel((5, 5)), tuple)
        assert isinstance(plain, tuple)
        assert max(abs(a - b) for a, b in zip(pixel, plain, strict=True)) <= 3


def test_nothing_of_the_file_goes_into_its_cover() -> None:
    reply = read(saved(striped(64, 48), "JPEG", exif=b"Exif\0\0" + EXIF, comment="secret", xmp=b"<x>secret</x>"))
    assert reply.picture is not None
    assert b"Canon" not in reply.picture.data
    assert b"secret" not in reply.picture.data
    with Image.open(io.BytesIO(reply.picture.data)) as image:
        assert not image.getexif()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_side_is_up_once(orientation: int, kind: str) -> None:
    written = Image.Exif()
    written[0x0112] = orientation
    reply = read(saved(striped(60, 40), kind, exif=written))
    assert size(reply) == ((60, 40) if orientation < 5 else (40, 60))
    black = {1: (0.1, 0.5), 2: (0.9, 0.5), 3: (0.9, 0.5), 4: (0.1, 0.5)}.get(orientation)
    at = black or {5: (0.5, 0.1), 6: (0.5, 0.1), 7: (0.5, 0.9), 8: (0.5, 0.9)}[orientation]
    assert is_black(cover(reply), *at)
    assert not is_black(cover(reply), 1 - at[0], 1 - at[1])


# Large, long and broken


def test_a_jpeg_without_its_end_shows_what_is_there() -> None:
    for options in ({}, {"progressive": True}):
        noise = Image.effect_noise((900, 900), 80).convert("RGB")
        whole = saved(noise, "JPEG", **options)
        reply = read(whole[: len(whole) * 2 // 3])
        assert (size(reply), found(reply).warnings) == ((900, 900), ("its end is missing",))
        assert cover(reply).size == (480, 480)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP", "JPEG2000"])
def test_any_picture_without_its_end_is_one(kind: str) -> None:
    whole = saved(Image.effect_noise((300, 300), 80).convert("RGB"), kind)
    reply = read(whole[: len(whole) * 2 // 3])
    assert size(reply) == (300, 300)
    assert len(found(reply).warnings) == 1


def test_what_does_not_fit_is_not_decoded(tmp_path: Path) -> None:
    reply = read(media.huge_png(tmp_path / "a.png").read_bytes())
    assert (size(reply), reply.picture) == ((30_000, 30_000), None)
    assert found(reply).warnings == ("no picture of it: it is too large to be decoded",)


def test_a_large_jpeg_is_decoded_small() -> None:
    assert cover(read(saved(Image.new("RGB", (16_000, 12_500), "red"), "JPEG"))).size == (480, 375)


def test_a_progressive_jpeg_that_does_not_fit_shows_the_small_one_in_its_exif() -> None:
    large = Image.new("RGB", (9_504, 6_336), "red")
    small = pictures.jpeg((160, 120), "blue")
    first = camera()
    block = raw_files.with_parts(
        lambda places: pictures.tiff(first, pictures.Directory(raw_files.jpeg_tags(places[0], len(small)))), small
    )
    data = saved(large, "JPEG", progressive=True, subsampling=0, exif=b"Exif\0\0" + block)
    reply = read(data)
    assert (size(reply), cover(reply).size, found(reply).warnings) == ((9_504, 6_336), (160, 120), ())
    without = read(saved(large, "JPEG", progressive=True, subsampling=0))
    assert found(without).warnings == ("no picture of it: it is too large to be decoded",)


def test_a_jpeg_of_thousands_of_passes_is_not_decoded() -> None:
    """Each has a few bytes, and goes over the whole picture."""
    data = saved(Image.new("RGB", (4_000, 4_000)), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    began = time.process_time()
    reply = read(data[:-2] + last * 5_000 + data[-2:])
    assert time.process_time() - began < 2
    assert (size(reply), found(reply).warnings) == (
        (4_000, 4_000), ("no picture of it: it comes in too many passes",)
    )  # fmt: skip


def test_what_would_take_too_long_is_not_decoded() -> None:
    began = time.process_time()
    reply = read(saved(Image.new("RGB", (4_000, 4_000)), "DDS"), "a.dds")
    assert time.process_time() - began < 2
    assert (size(reply), found(reply).warnings) == (
        (4_000, 4_000), ("no picture of it: it takes too long to be decoded",)
    )  # fmt: skip
    assert read(b"P2 60 40 255\n" + b"90 " * 2_400, "a.pgm").picture is not None


def test_a_png_with_megabytes_of_compressed_text_is_a_picture() -> None:
    for length in (2_000_000, 90_000_000):
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Comment", "x" * length, zip=True)
        reply = read(saved(striped(64, 48), "PNG", pnginfo=notes), "a.png")
        assert (size(reply), cover(reply).size) == ((64, 48), (64, 48))


def test_an_animation_shows_its_beginning() -> None:
    frames = [Image.new("P", (64, 48), 1)] * 3_000
    data = saved(striped(64, 48).convert("P"), "GIF", save_all=True, append_images=frames)
    assert is_black(cover(read(data, "a.gif")), 0.1, 0.5)
    few = [Image.new("RGB", (64, 48), "white")] * 200
    for kind in ("PNG", "WEBP"):
        assert is_black(cover(read(saved(striped(64, 48), kind, save_all=True, append_images=few))), 0.1, 0.5)


def test_a_tiff_of_many_pages_shows_the_first() -> None:
    pages = [Image.new("1", (64, 48), 1)] * 300
    assert is_black(cover(read(saved(striped(64, 48), "TIFF", save_all=True, append_images=pages))), 0.1, 0.5)


def test_an_interlaced_png_is_shown() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(
        (b"\0" + b"\x80" * -(-(100 - x) // across)) * -(-(60 - y) // down)
        for x, y, across, down in (
            (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
        )
    )  # fmt: skip
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 60, 8, 0, 0, 0, 1))
    data = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert cover(read(data, "a.png")).size == (100, 60)


def test_numbers_without_a_brightness_are_a_warning() -> None:
    image = Image.new("F", (40, 20), float("nan"))
    reply = read(saved(image, "TIFF"))
    assert found(reply).warnings == ("no picture of it: its brightness is not a number",)


# A child as it is


def test_in_a_child_large_pictures_are_done(tmp_path: Path) -> None:
    large = Image.linear_gradient("L").resize((9_504, 6_336)).convert("RGB")
    tile = pictures.hevc(Image.new("RGB", (512, 512), "blue"))
    tiles = pictures.heif(pictures.grid(9, 8, (512, 512), tuple(range(2, 74))), *[tile] * 72)
    files = {
        "base.jpg": saved(large, "JPEG"), "progressive.jpg": saved(large, "JPEG", progressive=True, subsampling=0),
        "a.png": saved(large, "PNG", compress_level=1), "a.heic": tiles, "b.heic": pictures.heic((640, 480), exif=EXIF),
        "c.avif": saved(large.resize((4_000, 3_000)), "AVIF", speed=10), "d.dng": raw_files.ALL["dng"](),
        "e.webp": saved(large, "WEBP", method=0), "f.jp2": saved(large.resize((2_000, 1_500)), "JPEG2000"),
    }  # fmt: skip

    async def main() -> dict[str, Reply]:
        children = Children(AnalysisSettings(workers=1, seconds=20))
        await children.start()
        try:
            replies = {}
            for name, data in files.items():
                (tmp_path / name).write_bytes(data)
                descriptor = os.open(tmp_path / name, os.O_RDONLY)
                replies[name] = await children.probe(Request("image", name), descriptor)
                os.close(descriptor)
            return replies
        finally:
            await children.stop()

    replies = asyncio.run(main())
    assert {name: reply.reason for name, reply in replies.items() if reply.status != "done"} == {}
    without = {name for name, reply in replies.items() if reply.picture is None}
    assert without == {"progressive.jpg", "e.webp"}
    assert all(size(reply) != (None, None) for reply in replies.values())


def test_where_it_was_taken_can_be_left_out() -> None:
    reply = read(pictures.jpeg((40, 20), exif=EXIF))
    assert found(reply).taken_at == Place(52.52, 13.41)
    assert found(without_place(reply)).taken_at is None
    assert found(without_place(reply)).camera == "Canon EOS R5"
    assert without_place(failed("x")) == failed("x")


CALLED: list[Callable[[], bytes]] = [lambda: media.picture(1_600, 900), lambda: saved(striped(2_000, 500), "PNG")]


@pytest.mark.parametrize("make", CALLED)
def test_a_cover_is_small(make: Callable[[], bytes]) -> None:
    reply = read(make())
    assert max(cover(reply).size) == thumbnail.SIDE
    assert decoding.room() > 300_000_000


class Photographed:
    """A prober that finds the same in every file: where it was taken."""

    async def probe(self, request: Request, descriptor: int, seconds: float | None = None) -> Reply:
        return Reply("done", None, Found(camera="X", taken_at=Place(1.0, 2.0)))


@pytest.mark.parametrize("places", [False, True])
def test_places_are_published_where_the_setting_allows_it(tmp_path: Path, places: bool) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"photo")
    job = Job(
        job="j", media_id=5, library="home", root="photos", site="main", path="a.jpg", path_b64=None,
        file=media.state_of(path), media_type="image",
    )  # fmt: skip
    settings = AnalysisSettings(places=places)
    analyst = Analyst({"photos": tmp_path}.get, Photographed(), places=settings.places)
    outcome = asyncio.run(analyst.analyse(job))
    assert outcome.found == Found(camera="X", taken_at=Place(1.0, 2.0) if places else None)


class Held:
    """A file in memory that counts the reads and their sizes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.asked: list[int] = []

    def read(self, length: int, start: int) -> bytes:
        self.asked.append(length)
        return self._data[start : start + length]


def over_a_share(held: Held, length: int, name: str) -> Reply:
    ours, theirs = socket.socketpair()
    serving = threading.Thread(target=remote.serve, args=(ours, held))
    serving.start()
    with remote.opened(theirs.detach(), length) as file:
        reply = probe.probe(file, Request("image", name))
    serving.join()
    return reply


@pytest.mark.parametrize("kind", [*raw_files.ALL, "heic", "webp", "avif"])
def test_on_a_share_little_is_read_and_in_large_pieces(kind: str) -> None:
    if kind in raw_files.ALL:
        data = raw_files.ALL[kind]() + bytes(30_000_000)
    else:
        data = pictures.heic((640, 480)) if kind == "heic" else saved(striped(640, 480), kind.upper())
        data += bytes(2_000_000)
    held = Held(data)
    assert over_a_share(held, len(data), f"a.{kind}").status == "done"
    assert len(held.asked) < 20
    assert sum(held.asked) < 5_000_000


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "JPEG2000", "WEBP", "PNG", "HEIC", "DNG"])
def test_a_picture_on_a_share_is_read_as_one_on_a_disk(kind: str) -> None:
    other = {"HEIC": lambda: pictures.heic((64, 48)), "DNG": raw_files.ALL["dng"]}
    data = other[kind]() if kind in other else saved(striped(900, 600), kind)
    reply = over_a_share(Held(data), len(data), "a.jpg")
    assert reply == read(data)
    assert reply.picture is not None
