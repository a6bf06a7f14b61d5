"""Pictures that no library here can write: HEIC and its tiles, raw files of the makers, JPEG XL's head, and Exif with
whatever a test wants to stand in it. Own small writers; what they write is the truth that a reader is held to."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any

import av
from av.video.frame import VideoFrame
from PIL import Image

Values = bytes | str | tuple[int, ...] | list["Directory"]


@dataclass(frozen=True)
class Directory:
    """Tags of TIFF: a type (its number in TIFF 6.0) and values; fractions are written as pairs, one after the other. A value
    that is a list of directories points to them."""

    tags: dict[int, tuple[int, Values]]


_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 13: 4}
_CODES = {1: "B", 3: "H", 4: "I", 5: "I", 6: "b", 7: "B", 8: "h", 9: "i", 10: "i", 13: "I"}


def tiff(*chain: Directory, order: str = "<", magic: int = 42, after_head: bytes = b"", base: int = 0) -> bytes:
    """Directories one after another, as Exif and raw files have them. `base`: so far before is what places count from."""
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", magic, 8) + after_head)
    out[4:8] = struct.pack(f"{order}I", len(out))
    at: int | None = 4
    for directory in chain:
        if at is not None:
            out[at : at + 4] = struct.pack(f"{order}I", base + len(out))
        at = _put(out, directory, order, base)
    return bytes(out)


def _put(out: bytearray, directory: Directory, order: str, base: int) -> int:
    """Append it; where the place of the next one is to be written."""
    start = len(out)
    tags = sorted(directory.tags.items())
    out += struct.pack(f"{order}H", len(tags)) + bytes(12 * len(tags) + 4)
    for number, (tag, (kind, values)) in enumerate(tags):
        if isinstance(values, list):
            places = []
            for below in values:
                places.append(base + len(out))
                _put(out, below, order, base)
            values = tuple(places)
        data = _packed(kind, values, order)
        entry = start + 2 + 12 * number
        out[entry : entry + 8] = struct.pack(f"{order}HHI", tag, kind, len(data) // _SIZES[kind])
        if len(data) <= 4:
            out[entry + 8 : entry + 8 + len(data)] = data
        else:
            out[entry + 8 : entry + 12] = struct.pack(f"{order}I", base + len(out))
            out += data + bytes(len(data) % 2)
    return start + 2 + 12 * len(tags)


def _packed(kind: int, values: bytes | str | tuple[int, ...], order: str) -> bytes:
    if isinstance(values, str):
        return values.encode() + b"\0"
    if isinstance(values, bytes):
        return values
    return struct.pack(f"{order}{len(values)}{_CODES[kind]}", *values)


def ascii_(text: str) -> tuple[int, Values]:
    """A text."""
    return 2, text


def camera(
    *, make: str = "Canon", model: str = "Canon EOS R5", date: str = "2019:01:02 03:04:05", orientation: int = 1,
    more: dict[int, tuple[int, Values]] | None = None, details: dict[int, tuple[int, Values]] | None = None,
    gps: dict[int, tuple[int, Values]] | None = None,
) -> Directory:  # fmt: skip
    """A main directory as a camera writes it, with Exif and, where given, GPS below."""
    exif_tags: dict[int, tuple[int, Values]] = {0x9003: ascii_(date)}
    tags: dict[int, tuple[int, Values]] = {
        0x010F: ascii_(make), 0x0110: ascii_(model), 0x0112: (3, (orientation,)),
        0x8769: (4, [Directory(exif_tags | (details or {}))]),
    }  # fmt: skip
    if gps is not None:
        tags[0x8825] = (4, [Directory(gps)])
    return Directory(tags | (more or {}))


def gps(
    latitude: tuple[int, ...], north: str, longitude: tuple[int, ...], east: str
) -> dict[int, tuple[int, Values]]:
    """Places as Exif has them: three fractions each."""
    return {1: ascii_(north), 2: (5, latitude), 3: ascii_(east), 4: (5, longitude)}


BERLIN = gps((52, 1, 31, 1, 12, 1), "N", (13, 1, 24, 1, 36, 1), "E")
"""52.52° north, 13.41° east."""


def jpeg(size: tuple[int, int], colour: str = "red", *, exif: bytes = b"", **options: Any) -> bytes:
    """One colour all over, its left third black: so that its sides can be distinguished."""
    out = io.BytesIO()
    image = Image.new("RGB", size, colour)
    image.paste("black", (0, 0, size[0] // 3, size[1]))
    image.save(out, "JPEG", **({"exif": b"Exif\0\0" + exif} if exif else {}), **options)
    return out.getvalue()


def swapped_colours() -> bytes:
    """A profile of colours by which red is shown as blue, and blue as red (ICC.1:2001-04, 6.1 and 6.3.1.1, the primaries of
    sRGB as ICC.1 has them)."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65_536) for value in values))

    red, green, blue = xyz(0.4361, 0.2225, 0.0139), xyz(0.3851, 0.7169, 0.0971), xyz(0.1431, 0.0606, 0.7141)
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(2.2 * 256), 0)
    text = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(80)
    tags = {
        b"desc": text, b"cprt": b"text\0\0\0\0x\0\0\0", b"wtpt": xyz(0.9642, 1.0, 0.8249), b"rXYZ": blue, b"gXYZ": green,
        b"bXYZ": red, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
    }  # fmt: skip
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += padded
    head = struct.pack(
        ">I4sI4s4s4s12x4s", at + len(body), b"\0" * 4, 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp"
    )
    white = struct.pack(">3i", round(0.9642 * 65_536), 65_536, round(0.8249 * 65_536))
    return (head.ljust(68, b"\0") + white).ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


# Boxes: ISO/IEC 14496-12, and 23008-12 for pictures in them.


def box(kind: bytes, *body: bytes) -> bytes:
    """A box; one with a long name is a `uuid`."""
    data = b"".join(body)
    head = kind if len(kind) == 4 else b"uuid" + kind
    return struct.pack(">I", 4 + len(head) + len(data)) + head + data


def full(kind: bytes, *body: bytes, version: int = 0, flags: int = 0) -> bytes:
    """One with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *body)


@dataclass(frozen=True)
class Item:
    """A picture or a piece of metadata inside a HEIF file. `properties`: boxes; `refers`: kind and to which items."""

    kind: bytes
    data: bytes
    properties: tuple[bytes, ...] = ()
    refers: tuple[tuple[bytes, tuple[int, ...]], ...] = ()


def hevc(image: Image.Image, *, depth: int = 8) -> Item:
    """A frame of HEVC as a picture of HEIF: what FFmpeg encodes into an MP4, without the MP4."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream(
            "libx265", rate=1, options={"x265-params": "log-level=none", "preset": "ultrafast"}
        )
        stream.width, stream.height = image.size
        stream.pix_fmt = "yuv420p" if depth == 8 else "yuv420p10le"
        stream.codec_context.codec_tag = "hvc1"
        frame = VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
        frame.pts = 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            packet.pts = packet.dts = 0  # of a single frame the encoder does not say when it is decoded
            container.mux(packet)
    data = out.getvalue()
    with av.open(io.BytesIO(data), "r") as made:
        sample = b"".join(bytes(packet) for packet in made.demux(video=0) if packet.size)
    at = data.index(b"hvcC") - 4
    (length,) = struct.unpack_from(">I", data, at)
    return Item(
        b"hvc1",
        sample,
        (data[at : at + length], ispe(*image.size), full(b"pixi", bytes((3, depth, depth, depth)))),
    )


def sequence(image: Image.Image, count: int = 3) -> bytes:
    """A burst: FFmpeg's MP4 under the brand and with the handler that sequences of pictures have. No smaller than 64 by 64:
    x265 writes past its memory where it looks ahead in smaller ones."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        options = {"x265-params": "log-level=none:bframes=0", "preset": "ultrafast"}
        stream = container.add_stream("libx265", rate=1, options=options)
        stream.width, stream.height, stream.pix_fmt = *image.size, "yuv420p"
        stream.codec_context.codec_tag = "hvc1"
        packets = []
        for number in range(count):
            frame = VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
            frame.pts = number
            packets += stream.encode(frame)
        for number, packet in enumerate([*packets, *stream.encode(None)]):
            packet.pts = packet.dts = number
            container.mux(packet)
    film = out.getvalue()
    return film[:8] + b"hevc" + bytes(4) + film[16:].replace(b"isom", b"msf1", 1).replace(b"vide", b"pict", 1)


def ispe(width: int, height: int) -> bytes:
    """How large a picture is."""
    return full(b"ispe", struct.pack(">II", width, height))


def irot(quarters: int) -> bytes:
    """It is to be turned to the left by so many quarters."""
    return box(b"irot", bytes((quarters,)))


def exif_item(data: bytes, of: int = 1) -> Item:
    """Exif that describes the item of this number."""
    return Item(b"Exif", struct.pack(">I", 6) + b"Exif\0\0" + data, refers=((b"cdsc", (of,)),))


def grid(columns: int, rows: int, tile: tuple[int, int], tiles: tuple[int, ...], *properties: bytes) -> Item:
    """A picture of tiles, as phones make them."""
    width, height = columns * tile[0], rows * tile[1]
    data = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    return Item(b"grid", data, (ispe(width, height), *properties), ((b"dimg", tiles),))


def heif(*items: Item, brand: bytes = b"heic") -> bytes:
    """Items numbered from one; the first is the picture that is shown."""
    properties: list[bytes] = []
    uses = b""
    for number, item in enumerate(items, 1):
        if item.properties:
            places = []
            for one in item.properties:
                if one not in properties:
                    properties.append(one)
                places.append(properties.index(one) + 1)
            uses += struct.pack(">HB", number, len(places)) + bytes(128 | place for place in places)
    holders = sum(1 for item in items if item.properties)
    infos = [
        full(b"infe", struct.pack(">HH4s", n, 0, item.kind), b"\0", version=2) for n, item in enumerate(items, 1)
    ]
    references = [
        box(kind, struct.pack(f">HH{len(to)}H", number, len(to), *to))
        for number, item in enumerate(items, 1)
        for kind, to in item.refers
    ]
    head = box(b"ftyp", brand, bytes(4), b"mif1", b"heic")

    def meta(first: int) -> bytes:
        places, at = b"", first
        for number, item in enumerate(items, 1):
            places += struct.pack(">HHHII", number, 0, 1, at, len(item.data))
            at += len(item.data)
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", struct.pack(">H", 1)),
            full(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)), places),
            full(b"iinf", struct.pack(">H", len(items)), *infos),
            *([full(b"iref", *references)] if references else []),
            box(b"iprp", box(b"ipco", *properties), full(b"ipma", struct.pack(">I", holders), uses)),
        )

    first = len(head) + len(meta(0)) + 8
    return head + meta(first) + box(b"mdat", *(item.data for item in items))


def heic(
    size: tuple[int, int], colour: str = "red", *, exif: bytes = b"", depth: int = 8, turns: int = 0
) -> bytes:
    """A picture whose left third is black."""
    image = Image.new("RGB", size, colour)
    image.paste("black", (0, 0, size[0] // 3, size[1]))
    coded = hevc(image, depth=depth)
    shown = Item(coded.kind, coded.data, (*coded.properties, *([irot(turns)] if turns else [])))
    return heif(shown, *([exif_item(exif)] if exif else []))
