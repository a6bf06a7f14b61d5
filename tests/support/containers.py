"""Media containers with all supported contents, written by FFmpeg if possible, else byte by byte; their contents are known
because they were put there."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mutagen.apev2
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from PIL import Image

from tests.support import media

SUBTITLE = b"1\n00:00:00,000 --> 00:00:00,300\nHello\n\n"


def film(
    path: Path, codec: str = "libx264", *, frames: int = 10, size: tuple[int, int] = (320, 180),
    pixels: str = "yuv420p", options: Mapping[str, str] | None = None, transfer: int | None = None,
    aspect: Fraction | None = None, rate: Fraction | int = 25, container: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None, before_each: bytes = b"", gop: int = 12,
) -> Path:  # fmt: skip
    """A film without sound. `before_each`: bytes in front of each packet, `container`: options of the muxer."""
    with av.open(str(path), "w", options=dict(container or {})) as out:
        out.metadata.update(tags or {})
        stream: Any = out.add_stream(codec, rate=rate, options=dict(options or {}))
        stream.width, stream.height = size
        stream.pix_fmt, stream.gop_size, stream.codec_context.thread_count = pixels, gop, 1
        if transfer is not None:
            stream.codec_context.color_trc = transfer
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for index in range(frames):
            picture = Image.linear_gradient("L").resize(size).convert("RGB").rotate(index)
            frame = VideoFrame.from_image(picture).reformat(format=pixels)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = index, 1 / Fraction(rate)
            _mux(out, stream.encode(frame), before_each)
        _mux(out, stream.encode(None), before_each)
    return path


def _mux(out: Any, packets: Sequence[Packet[Any]], before: bytes) -> None:
    for packet in packets:
        if not before:
            out.mux(packet)
            continue
        longer = Packet(before + bytes(packet))
        longer.pts, longer.dts, longer.time_base = packet.pts, packet.dts, packet.time_base
        longer.stream, longer.is_keyframe = packet.stream, packet.is_keyframe
        out.mux(longer)


def hdr10_plus_message() -> bytes:
    """A prefix SEI of HEVC (H.265, 7.3.5) with the smallest ST 2094-40 metadata: one window, no curve (CTA-861-H, S)."""
    bits = "01" + f"{4000:027b}" + "0" + f"{1000:017b}" * 3 + f"{500:017b}" + "0000" + f"{0:010b}" + "0" + "00"
    bits += "0" * (-len(bits) % 8)
    body = b"\xb5\x00\x3c\x00\x01\x04\x01" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    payload = bytes([4, len(body)]) + body + b"\x80"
    escaped = bytearray()
    for byte in payload:  # no three bytes may look like a start code
        if escaped[-2:] == b"\0\0" and byte <= 3:
            escaped.append(3)
        escaped.append(byte)
    return b"\0\0\0\1" + bytes([39 << 1, 1]) + bytes(escaped)


def with_box(path: Path, inside: Sequence[tuple[bytes, int]], box: bytes) -> Path:
    """An MP4 with one more box at the end of another: by the kinds of those it is in, each with the bytes that stand before
    its own boxes. Nothing may lie behind that is found by its offset."""
    data = bytearray(path.read_bytes())
    start, end, sizes = 0, len(data), []
    for kind, fields in inside:
        at = start
        while data[at + 4 : at + 8] != kind:
            at += int.from_bytes(data[at : at + 4], "big")
            assert at < end, kind
        sizes.append(at)
        start, end = at + 8 + fields, at + int.from_bytes(data[at : at + 4], "big")
    for at in sizes:
        longer = int.from_bytes(data[at : at + 4], "big") + len(box)
        data[at : at + 4] = longer.to_bytes(4, "big")
    data[end:end] = box
    path.write_bytes(data)
    return path


def dolby_vision(path: Path) -> Path:
    """With the configuration box of Dolby Vision, profile 8.1 (Dolby Vision Streams Within the ISOBMFF, 2.0)."""
    profile, level = 8, 6
    body = struct.pack(">BBH", 1, 0, profile << 9 | level << 3 | 0b101) + bytes([1 << 4]) + bytes(19)
    inside = [(b"moov", 0), (b"trak", 0), (b"mdia", 0), (b"minf", 0), (b"stbl", 0), (b"stsd", 8)]
    entry = b"hev1" if b"hev1" in path.read_bytes() else b"hvc1"
    return with_box(path, [*inside, (entry, 78)], struct.pack(">I", 8 + len(body)) + b"dvvC" + body)


def tracks(path: Path, chapters: Sequence[tuple[int, str]] = ()) -> Path:
    """A Matroska film with sound in two languages, of which the second is played first, a commentary, and subtitles, of
    which one is forced and one for the deaf and hard of hearing. Chapters by their beginnings in ms."""
    sources: list[Any] = [av.open(str(media.video(path.with_name("source.mp4"), 0.4)))]
    sources += [av.open(io.BytesIO(SUBTITLE), format="srt") for _ in range(2)]
    with av.open(str(path), "w") as out:
        kinds = [
            (0, "video", {}, Disposition.default), (0, "audio", {"language": "ger"}, Disposition(0)),
            (0, "audio", {"language": "eng", "title": "Original"}, Disposition.default),
            (0, "audio", {"language": "eng", "title": "With the director " + "x" * 90}, Disposition.comment),
            (1, "subtitles", {"language": "ger", "title": "Signs"}, Disposition.forced),
            (2, "subtitles", {"language": "eng"}, Disposition.hearing_impaired),
        ]  # fmt: skip
        copies: list[tuple[int, Any, Any]] = []
        for number, kind, metadata, disposition in kinds:
            stream = getattr(sources[number].streams, kind)[0]
            copy: Any = out.add_stream_from_template(stream)
            copy.metadata.clear()
            copy.metadata.update(metadata)
            copy.disposition = disposition
            copies.append((number, stream, copy))
        out.set_chapters([
            {"id": index, "start": start, "end": start + 10, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
            for index, (start, title) in enumerate(chapters)
        ])  # fmt: skip
        for number, source in enumerate(sources):
            for packet in list(source.demux()):
                for at, stream, copy in copies:
                    if at == number and stream.index == packet.stream_index and packet.dts is not None:
                        again = Packet(bytes(packet))
                        again.pts, again.dts, again.duration = packet.pts, packet.dts, packet.duration
                        again.time_base, again.is_keyframe, again.stream = (
                            packet.time_base,
                            packet.is_keyframe,
                            copy,
                        )
                        out.mux(again)
            source.close()
    return path


def chaptered(path: Path, chapters: Sequence[tuple[int, str]]) -> Path:
    """A book that is read, with chapters by their beginnings in ms."""
    plain = media.sound(path.with_name("plain.m4a"), "aac", {"title": "The Quiet Sea"}, 1.0)
    with av.open(str(plain)) as old, av.open(str(path), "w", format="mp4") as new:
        stream = old.streams.audio[0]
        new.metadata.update(old.metadata)
        copy: Any = new.add_stream_from_template(stream)
        new.set_chapters([
            {"id": index, "start": start, "end": start + 10, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
            for index, (start, title) in enumerate(chapters)
        ])  # fmt: skip
        for packet in old.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                new.mux(packet)
    return path


def id3_tag(frames: Mapping[str, str]) -> bytes:
    """An ID3v2.4 tag: text frames by their names; with a colon in it one of our own (`TXXX:SERIES`)."""
    parts = []
    for name, text in frames.items():
        kind, _, description = name.partition(":")
        content = b"\3" + (description.encode() + b"\0" if description else b"") + text.encode()
        parts.append(kind.encode() + synchsafe(len(content)) + b"\0\0" + content)
    body = b"".join(parts)
    return b"ID3\4\0\0" + synchsafe(len(body)) + body


def synchsafe(number: int) -> bytes:
    """Seven bits in each of four bytes."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def behind_id3(path: Path, frames: Mapping[str, str]) -> Path:
    """The same file behind an ID3 tag."""
    path.write_bytes(id3_tag(frames) + path.read_bytes())
    return path


def dsf(path: Path, frames: Mapping[str, str]) -> Path:
    """A second of silence in DSD64 (DSF 1.01): the head says where the ID3 tag stands."""
    blocks = 2_822_400 // 8 // 4_096
    sound = b"\x69" * (2 * 4_096 * blocks)
    form = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 2, 2, 2_822_400, 1, blocks * 4_096 * 8, 4_096, 0)
    data = struct.pack("<4sQ", b"data", 12 + len(sound)) + sound
    tag = id3_tag(frames)
    at = 28 + len(form) + len(data)
    path.write_bytes(struct.pack("<4sQQQ", b"DSD ", 28, at + len(tag), at) + form + data + tag)
    return path


def monkeys_audio(path: Path, tags: Mapping[str, str | Sequence[str]]) -> Path:
    """The head of a Monkey's Audio file of one frame of nothing (version 3.99), with an APEv2 tag."""
    descriptor = struct.pack("<4sHHIIIIIII16s", b"MAC ", 3990, 0, 52, 24, 4, 0, 64, 0, 0, bytes(16))
    header = struct.pack("<HHIIIHHI", 2000, 0, 73_728, 44_100, 1, 16, 2, 44_100)
    path.write_bytes(descriptor + header + struct.pack("<I", 80) + bytes(64))
    tag: Any = mutagen.apev2.APEv2()  # type: ignore[no-untyped-call]
    for name, value in tags.items():
        tag[name] = list(value) if not isinstance(value, str) else value
    tag.save(path)
    return path


def crowded(path: Path, count: int) -> Path:
    """A tag with so many frames of our own behind a title and an artist."""
    own = {f"TXXX:K{number:06}": "v" for number in range(count)}
    return behind_id3(path, {"TIT2": "Nordlicht", "TPE1": "Die Ålande"} | own)


def element(kind: bytes, body: bytes) -> bytes:
    """An element of Matroska, its size in eight bytes."""
    return kind + (len(body) | 1 << 56).to_bytes(8, "big") + body


def tagged_by_level(path: Path, *tags: tuple[int, Mapping[str, str]]) -> Path:
    """A Matroska film recorded live, with tags by what they speak of (70: a collection, 60: a season, 50: a film)."""
    film(path, container={"live": "1"})
    data, all_tags = path.read_bytes(), b""
    for level, texts in tags:
        body = element(b"\x63\xc0", element(b"\x68\xca", bytes([level])))
        for name, text in texts.items():
            body += element(b"\x67\xc8", element(b"\x45\xa3", name.encode()) + element(b"\x44\x87", text.encode()))
        all_tags += element(b"\x73\x73", body)
    at = data.index(b"\x1f\x43\xb6\x75")
    path.write_bytes(data[:at] + element(b"\x12\x54\xc3\x67", all_tags) + data[at:])
    return path
