"""Writes small but real media files, which open in the usual programs.

Each function writes one file; `seed` makes its contents differ from all others', as real files do.
"""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Iterator, Mapping
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
from av import AudioFrame, AudioResampler, AudioStream, VideoFrame
from PIL import Image, ImageDraw

RATE = 44_100
_FPS = 12
_CHUNK = 1_024


def video(path: Path, seed: int, *, seconds: float = 1.5, size: tuple[int, int] = (320, 180)) -> None:
    """H.264 video with an AAC tone, in the container that the suffix names."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=_FPS, options={"preset": "ultrafast", "crf": "30"})
        picture.width, picture.height = size
        picture.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE)
        for number in range(int(seconds * _FPS)):
            frame: VideoFrame = VideoFrame.from_image(_drawn(size, seed, f"{number:03}"))  # type: ignore[no-untyped-call]
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        _sound(container, sound, seed, seconds)


def audio(path: Path, seed: int, tags: Mapping[str, str], *, seconds: float = 1.2) -> None:
    """A tone in the codec that the suffix names, with tags (as FFmpeg calls them)."""
    codecs = {".flac": "flac", ".mp3": "libmp3lame", ".opus": "libopus", ".ogg": "libopus", ".m4a": "aac"}
    codec = codecs[path.suffix]
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        stream = container.add_stream(codec, rate=48_000 if codec == "libopus" else RATE)
        assert isinstance(stream, AudioStream)
        _sound(container, stream, seed, seconds)


def picture(path: Path, seed: int, title: str, size: tuple[int, int] = (400, 600)) -> None:
    """An image in the format that the suffix names."""
    _drawn(size, seed, title).save(path)


def book(path: Path, title: str, author: str, chapters: tuple[str, ...]) -> None:
    """An EPUB 3 with one page a chapter."""
    items = "".join(f'<item id="c{n}" href="c{n}.xhtml" media-type="{_XHTML}"/>' for n in _each(chapters))
    spine = "".join(f'<itemref idref="c{n}"/>' for n in _each(chapters))
    links = "".join(f'<li><a href="c{n}.xhtml">{name}</a></li>' for n, name in enumerate(chapters))
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">urn:catalogizer:{path.stem.replace(" ", "-")}</dc:identifier>'
        f"<dc:title>{title}</dc:title><dc:creator>{author}</dc:creator><dc:language>en</dc:language>"
        '<meta property="dcterms:modified">2024-01-01T00:00:00Z</meta></metadata><manifest>'
        '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        f"{items}</manifest><spine>{spine}</spine></package>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", _CONTAINER)
        archive.writestr("book.opf", package)
        archive.writestr("nav.xhtml", _page("Contents", f'<nav epub:type="toc"><ol>{links}</ol></nav>'))
        for number, name in enumerate(chapters):
            archive.writestr(f"c{number}.xhtml", _page(name, f"<h1>{name}</h1><p>{title}, by {author}.</p>"))


def comic(path: Path, seed: int, title: str, pages: int = 4) -> None:
    """A CBZ of JPEG pages."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1, pages + 1):
            page = BytesIO()
            _drawn((300, 450), seed + number, f"{title} {number}").save(page, "JPEG")
            archive.writestr(f"{number:03}.jpg", page.getvalue())


def subtitles(path: Path, lines: tuple[str, ...]) -> None:
    """SubRip, one line a second."""
    entries = (f"{n + 1}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{line}\n" for n, line in enumerate(lines))
    path.write_text("\n".join(entries), encoding="utf-8")


def _drawn(size: tuple[int, int], seed: int, text: str) -> Image.Image:
    image = Image.new("RGB", size, ((seed * 67) % 200, (seed * 131) % 200, (seed * 29) % 200))
    draw = ImageDraw.Draw(image)
    width, height = size
    for line in range(0, width, 24):
        draw.line((line, 0, width - line, height), fill=((seed * 11 + line) % 256, 180, 120), width=2)
    draw.text((10, height // 2), text, fill="white")
    return image


def _sound(container: av.container.OutputContainer, stream: AudioStream, seed: int, seconds: float) -> None:
    resampler = AudioResampler(
        format=stream.format, layout="stereo", rate=stream.rate, frame_size=stream.frame_size
    )
    for frame in (*_tone(seed, seconds), None):
        for piece in resampler.resample(frame):
            container.mux(stream.encode(piece))
    container.mux(stream.encode(None))


def _tone(seed: int, seconds: float) -> Iterator[AudioFrame]:
    pitch = 220 * 2 ** ((seed % 24) / 12)
    period = round(RATE / pitch)  # in whole samples: one wave is computed, and repeated
    wave = struct.pack(
        f"<{2 * period}h",
        *(int(9_000 * math.sin(2 * math.pi * n / period)) for n in range(period) for _ in "lr"),
    )
    size = 4 * _CHUNK
    long = wave * (2 + size // len(wave))
    for start in range(0, int(seconds * RATE), _CHUNK):
        begin = 4 * (start % period)
        frame = AudioFrame(format="s16", layout="stereo", samples=_CHUNK)
        frame.planes[0].update(long[begin : begin + size])
        frame.sample_rate = RATE
        frame.pts = start
        frame.time_base = Fraction(1, RATE)
        yield frame


def _each(chapters: tuple[str, ...]) -> range:
    return range(len(chapters))


def _page(title: str, body: str) -> str:
    return (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
        f"<head><title>{title}</title></head><body>{body}</body></html>"
    )


_XHTML = "application/xhtml+xml"
_CONTAINER = (
    '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
    '<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)
