"""Small real media files, made with the libraries that also read them, and files that mean harm."""

from __future__ import annotations

import io
import math
import os
import struct
import zipfile
import zlib
from array import array
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import mutagen
import mutagen.id3
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from PIL import Image

from schemas.raw import FileState

RATE = 44_100
WAVE = array("f", (0.3 * math.sin(2 * math.pi * n / 100) for n in range(100)))
"""One wave of the tone, of 441 Hz."""
id3: Any = mutagen.id3  # its frames are made at run time


def state_of(path: Path) -> FileState:
    """The file as a producer observes it."""
    found = path.lstat()
    return FileState("file", found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino)


def picture(width: int, height: int, kind: str = "JPEG") -> bytes:
    """A gradient."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, kind)
    return out.getvalue()


def slow_picture() -> bytes:
    """A PNG of 56 million pixels, in four channels of noise, which take their time."""
    out = io.BytesIO()
    noise = Image.effect_noise((2_500, 2_500), 90).resize((7_500, 7_500), Image.Resampling.NEAREST)
    Image.merge("RGBA", [noise, noise.rotate(90), noise.rotate(180), noise]).save(out, "PNG", compress_level=1)
    return out.getvalue()


def video(
    path: Path, seconds: float = 2.0, *, size: tuple[int, int] = (320, 180), trc: int | None = None,
    black_seconds: float = 0.0,
) -> Path:  # fmt: skip
    """A film with sound in German."""
    with av.open(str(path), "w") as container:
        film = container.add_stream("libx264", rate=25)
        film.width, film.height, film.pix_fmt = *size, "yuv420p"
        film.time_base = Fraction(1, 25)
        if trc is not None:
            film.codec_context.color_trc = trc
        sound = container.add_stream("aac", rate=RATE)
        sound.metadata["language"] = "ger"
        for index in range(round(seconds * 25)):
            grey = 40 + index % 200
            colour = (0, 0, 0) if index < black_seconds * 25 else (grey, 90, 255 - grey)
            image = Image.new("RGB", size, colour)
            frame = VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
            frame.pts = index
            container.mux(film.encode(frame))
        container.mux(film.encode(None))
        for frame in _tone(seconds, "fltp"):
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def turned(source: Path, target: Path, degrees: int) -> Path:
    """The same film, to be shown turned."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        film = old.streams.video[0]
        copy: Any = new.add_stream_from_template(film)
        copy.set_display_rotation(degrees)
        for packet in old.demux(film):
            if packet.dts is not None:
                packet.stream = copy
                new.mux(packet)
    return target


def without_key_frames(path: Path) -> Path:
    """A film of which the beginning of every group of pictures is lost."""
    whole = path.with_name("whole.ts")
    video(whole, 4.0)
    with av.open(str(whole)) as old, av.open(str(path), "w") as new:
        film = old.streams.video[0]
        copy: Any = new.add_stream_from_template(film)
        for packet in old.demux(film):
            if packet.dts is not None and not packet.is_keyframe:
                packet.stream = copy
                new.mux(packet)
    return path


def sound(path: Path, codec: str, tags: dict[str, str], seconds: float = 0.5) -> Path:
    """A tone in any container, with tags as that has them."""
    with av.open(str(path), "w", options={"write_id3v2": "1"} if path.suffix == ".aiff" else {}) as container:
        container.metadata.update(tags)
        stream: Any = container.add_stream(codec, rate=48_000 if codec == "libopus" else RATE)
        stream.bit_rate = 128_000
        resampler = av.AudioResampler(stream.format, stream.layout, stream.rate)
        for frame in _tone(seconds, "fltp"):
            for part in resampler.resample(frame):
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def song(path: Path, seconds: float = 1.0, *, cover: bool = True) -> Path:
    """An MP3 with tags and a cover, or without one."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("libmp3lame", rate=RATE)
        sound.bit_rate = 128_000
        for frame in _tone(seconds, "fltp"):
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    tagged: Any = mutagen.File(path)
    tags = tagged.tags
    tags.add(id3.TIT2(encoding=3, text="Nordlicht"))
    tags.add(id3.TPE1(encoding=3, text="Die Ålande"))
    tags.add(id3.TALB(encoding=3, text="Fjord"))
    tags.add(id3.TRCK(encoding=3, text="3/12"))
    tags.add(id3.TDRC(encoding=3, text="2019-05-01"))
    if cover:
        tags.add(id3.APIC(encoding=3, mime="image/jpeg", type=3, desc="", data=picture(600, 600)))
    tagged.save()
    return path


def book(path: Path, *, title: str = "The Quiet Sea", cover: bytes | None = None) -> Path:
    """An EPUB 3."""
    package = f"""<?xml version="1.0"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title>
<dc:creator>Ada Writer</dc:creator><dc:language>en</dc:language><dc:date>1998-03-02</dc:date></metadata>
<manifest><item id="c" href="images/cover%201.jpg" media-type="image/jpeg" properties="cover-image"/></manifest>
</package>"""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", container_xml())
        archive.writestr("OEBPS/book.opf", package)
        archive.writestr("OEBPS/images/cover 1.jpg", picture(300, 400) if cover is None else cover)
    return path


def container_xml() -> str:
    """Where an EPUB begins."""
    return (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    )


def zip_bomb(path: Path, unpacked: int = 400_000_000) -> Path:
    """An EPUB whose package unpacks to much more than any memory allowed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", container_xml())
        with archive.open("OEBPS/book.opf", "w") as member:
            block = b" " * 1_000_000
            for _ in range(unpacked // len(block)):
                member.write(block)
    return path


def huge_png(path: Path, side: int = 30_000) -> Path:
    """A PNG of a few hundred bytes whose header claims `side` by `side` pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1_000)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def truncated(path: Path, share: float = 0.5) -> Path:
    """Cut off the rest."""
    os.truncate(path, int(path.stat().st_size * share))
    return path


def _tone(seconds: float, layout: str) -> list[AudioFrame]:
    frames = []
    total, at, step = int(seconds * RATE), 0, 1_024
    wave = WAVE * (2 + step // len(WAVE))
    while at < total:
        count, phase = min(step, total - at), at % len(WAVE)
        frame = AudioFrame(format=layout, layout="stereo", samples=count)
        for plane in frame.planes:
            plane.update(wave[phase : phase + count].tobytes().ljust(plane.buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
        frames.append(frame)
        at += count
    return frames
