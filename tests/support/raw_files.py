"""Raw files as the makers' cameras lay them out, without a sensor's data: directories, previews, and where they stand; and
the heads of JPEG XL."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.support.pictures import Directory, Values, ascii_, box, camera, full, jpeg, tiff

Tags = dict[int, tuple[int, Values]]
SMALL, PREVIEW, FULL = (160, 120), (1200, 800), (3000, 2000)
"""What cameras put beside a picture: to leaf through, to look at, in full size. Of different colours below."""


def thumbnail() -> bytes:
    """The small one."""
    return jpeg(SMALL, "yellow")


def preview() -> bytes:
    """The middle one."""
    return jpeg(PREVIEW, "red")


def full_size() -> bytes:
    """The large one."""
    return jpeg(FULL, "blue")


def with_parts(build: Callable[[list[int]], bytes], *parts: bytes) -> bytes:
    """Parts after the table with their offsets."""
    at = len(build([0] * len(parts)))
    places = []
    for part in parts:
        places.append(at)
        at += len(part)
    return build(places) + b"".join(parts)


def jpeg_tags(place: int, length: int) -> Tags:
    """A JPEG, in the two tags that Exif has for it."""
    return {0x0201: (4, (place,)), 0x0202: (4, (length,))}


def strip_tags(place: int, length: int, size: tuple[int, int], *, compression: int = 6) -> Tags:
    """A JPEG, as a picture of one strip."""
    return {
        0x0100: (4, (size[0],)), 0x0101: (4, (size[1],)), 0x0103: (3, (compression,)), 0x0111: (4, (place,)),
        0x0117: (4, (length,)),
    }  # fmt: skip


def sensor(width: int, height: int, *, compression: int = 1, more: Tags | None = None) -> Directory:
    """The directory of the sensor's data, which are not there."""
    tags: Tags = {
        0x00FE: (4, (0,)), 0x0100: (4, (width,)), 0x0101: (4, (height,)), 0x0103: (3, (compression,)),
        0x0106: (3, (32803,)),
    }  # fmt: skip
    return Directory(tags | (more or {}))


def cr2(main: Directory) -> bytes:
    """Canon: a preview in the first directory, a small one in the second, sensor data (a JPEG without loss) in the last."""
    one, two = preview(), thumbnail()

    def build(places: list[int]) -> bytes:
        first = Directory(main.tags | strip_tags(places[0], len(one), PREVIEW))
        second = Directory(jpeg_tags(places[1], len(two)))
        last = Directory({0x0103: (3, (6,)), 0x0111: (4, (places[2],)), 0x0117: (4, (4_000,))})
        return tiff(first, second, last, after_head=b"CR\2\0\0\0\0\0")

    lossless = b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB", 8 + 3 * 3, 14, 4000, 6000, 3) + bytes((1, 17, 0)) * 3
    return with_parts(build, one, two, lossless + bytes(4_000))


def nef(main: Directory, *, order: str = ">") -> bytes:
    """Nikon: a tiny bitmap first; below it a full JPEG and the sensor's data."""
    large = full_size()

    def build(places: list[int]) -> bytes:
        below = [Directory({0x00FE: (4, (1,)), 0x0103: (3, (6,))} | jpeg_tags(places[0], len(large)))]
        below.append(sensor(6016, 4016, compression=34713))
        tags: Tags = {0x00FE: (4, (1,)), 0x0100: (4, (160,)), 0x0101: (4, (120,)), 0x014A: (4, [*below])}
        return tiff(Directory(main.tags | tags), order=order)

    return with_parts(build, large)


def arw(main: Directory) -> bytes:
    """Sony: a preview in the first directory, a small one in the second."""
    one, two = preview(), thumbnail()

    def build(places: list[int]) -> bytes:
        first = main.tags | jpeg_tags(places[0], len(one)) | {0x014A: (4, [sensor(9600, 6376, compression=32767)])}
        return tiff(Directory(first), Directory(jpeg_tags(places[1], len(two))))

    return with_parts(build, one, two)


def dng(main: Directory) -> bytes:
    """Adobe's: a bitmap first; below it the sensor's data with the cut that is meant, and two previews."""
    one, two = preview(), full_size()

    def build(places: list[int]) -> bytes:
        below = [
            sensor(4032, 3032, compression=7, more={0xC620: (5, (4000, 1, 3000, 1))}),
            Directory({0x00FE: (4, (1,))} | strip_tags(places[0], len(one), PREVIEW, compression=7)),
            Directory({0x00FE: (4, (1,))} | strip_tags(places[1], len(two), FULL, compression=7)),
        ]
        tags: Tags = {
            0x00FE: (4, (1,)), 0x0100: (4, (160,)), 0x0101: (4, (120,)), 0x014A: (4, below), 0xC612: (1, (1, 4, 0, 0)),
            0xC630: (5, (24, 1, 70, 1, 28, 10, 28, 10)),
        }  # fmt: skip
        return tiff(Directory(main.tags | tags))

    return with_parts(build, one, two)


def pef(main: Directory) -> bytes:
    """Pentax: sensor data first, then a small JPEG, then a large one, each a directory of the chain."""
    small, large = thumbnail(), full_size()

    def build(places: list[int]) -> bytes:
        first = Directory(sensor(6080, 4032, compression=65535).tags | main.tags)
        return tiff(
            first,
            Directory(jpeg_tags(places[0], len(small))),
            Directory(jpeg_tags(places[1], len(large))),
            order=">",
        )

    return with_parts(build, small, large)


def orf(main: Directory) -> bytes:
    """Olympus: a preview that only the maker's note knows, counted from that note's beginning."""
    one = preview()
    plain = Directory({tag: value for tag, value in main.tags.items() if tag != 0x8769})

    def build(places: list[int]) -> bytes:
        settings = Directory({0x0101: (4, (places[0],)), 0x0102: (4, (len(one),))})
        note = _headless(Directory({0x2020: (13, [settings])}), 12)
        details: Tags = {
            0x9003: ascii_("2019:01:02 03:04:05"),
            0x927C: (7, b"OLYMPUS\0II\3\0" + note + b"\0" * 64),
        }
        tags = plain.tags | {0x0100: (4, (4640,)), 0x0101: (4, (3472,)), 0x8769: (4, [Directory(details)])}
        return tiff(Directory(tags), magic=0x4F52)

    whole = build([0])
    start = whole.index(b"OLYMPUS\0II")
    return build([len(whole) - start]) + one


def _headless(directory: Directory, base: int) -> bytes:
    """A directory that begins so far behind what its places count from."""
    return tiff(directory, base=base - 8)[8:]


def rw2(main: Directory) -> bytes:
    """Panasonic: its own magic, the edges of what the sensor sees, and a JPEG with all that the camera says."""
    inside = jpeg(PREVIEW, "red", exif=tiff(main))
    tags: Tags = {
        0x0002: (3, (4816,)), 0x0003: (3, (3464,)), 0x0004: (3, (4,)), 0x0005: (3, (8,)), 0x0006: (3, (3460,)),
        0x0007: (3, (4600,)), 0x002E: (7, inside), 0x010F: main.tags[0x010F], 0x0110: main.tags[0x0110],
    }  # fmt: skip
    return tiff(Directory(tags), magic=0x55)


def raf(main: Directory) -> bytes:
    """Fujifilm: a head with places, a JPEG with all that the camera says, a table with the sensor's size."""
    inside = jpeg(PREVIEW, "red", exif=tiff(main))
    table = (
        struct.pack(">I", 2)
        + struct.pack(">HHHH", 0x100, 4, 4060, 6160)
        + struct.pack(">HHHH", 0x111, 4, 4000, 6000)
    )
    head = b"FUJIFILMCCD-RAW 0201FF129502X-T4".ljust(84, b"\0")
    start = len(head) + 32
    places = struct.pack(">IIII", start, len(inside), start + len(inside), len(table)) + bytes(16)
    return head + places + inside + table


def mrw(main: Directory) -> bytes:
    """Minolta: blocks, one with the sensor's size, one a whole TIFF."""
    blocks = b"".join(
        struct.pack(">4sI", kind, len(body)) + body
        for kind, body in (
            (b"\0PRD", b"27820001" + struct.pack(">HHHH", 1960, 2568, 1920, 2560)),
            (b"\0TTW", tiff(main, order=">")),
        )
    )
    return b"\0MRM" + struct.pack(">I", len(blocks)) + blocks


def cr3(main: Directory, details: Directory, gps: Directory | None = None) -> bytes:
    """Canon's newer: boxes with Exif in pieces, two previews in boxes and a full one in a track."""
    small, middle, large = thumbnail(), preview(), full_size()
    pieces = [box(b"CMT1", tiff(main)), box(b"CMT2", tiff(details))]
    if gps is not None:
        pieces.append(box(b"CMT4", tiff(gps)))
    pieces.append(full(b"THMB", struct.pack(">HHIHH", *SMALL, len(small), 1, 0), small))
    canon = box(bytes.fromhex("85c0b687820f11e08111f4ce462b6a48"), *pieces)
    prvw = box(b"PRVW", struct.pack(">IHHHHI", 0, 1, *PREVIEW, 1, len(middle)), middle)
    shown = box(bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16"), bytes(8), prvw)

    def build(places: list[int]) -> bytes:
        tracks = [_track(FULL, places[0], len(large)), _track((6000, 4000), 1, 1)]
        return box(b"ftyp", b"crx ", bytes(4), b"crx isom") + box(b"moov", canon, *tracks) + shown

    return with_parts(build, box(b"mdat", large)[8:])


def _track(size: tuple[int, int], place: int, length: int) -> bytes:
    entry = box(b"CRAW", bytes(24), struct.pack(">HH", *size), bytes(50))
    table = box(
        b"stbl", full(b"stsd", struct.pack(">I", 1), entry), full(b"stsz", struct.pack(">II", length, 1)),
        full(b"co64", struct.pack(">IQ", 1, place)),
    )  # fmt: skip
    return box(b"trak", box(b"mdia", box(b"minf", table)))


def jxl_codestream(width: int, height: int, *, ratio: int = 0, orientation: int = 1) -> bytes:
    """The head of JPEG XL: the size in one of its ways (ISO/IEC 18181-1, D.2), then which side is up."""
    bits: list[tuple[int, int]] = []
    small = width % 8 == 0 and height % 8 == 0 and max(width, height) <= 256

    def side(value: int) -> None:
        if small:
            bits.append((value // 8 - 1, 5))
            return
        choice = next(n for n, width in enumerate((9, 13, 18, 30)) if value - 1 < 1 << width)
        bits.extend(((choice, 2), (value - 1, (9, 13, 18, 30)[choice])))

    bits.append((int(small), 1))
    side(height)
    bits.append((ratio, 3))
    if not ratio:
        side(width)
    bits.extend(((0, 1), (1, 1), (orientation - 1, 3)) if orientation != 1 else ((1, 1),))
    whole = at = 0
    for value, count in bits:
        whole |= value << at
        at += count
    return b"\xff\x0a" + whole.to_bytes(-(-at // 8) + 16, "little")


def jxl_container(codestream: bytes, exif: bytes, *, parts: bool = False) -> bytes:
    """The same in boxes, with Exif."""
    stream = box(b"jxlp", bytes(4), codestream) if parts else box(b"jxlc", codestream)
    head = bytes.fromhex("0000000c4a584c200d0a870a") + box(b"ftyp", b"jxl ", bytes(4), b"jxl ")
    return head + box(b"Exif", bytes(4), exif) + stream


ALL: dict[str, Callable[[], bytes]] = {
    "cr2": lambda: cr2(camera()),
    "nef": lambda: nef(camera(make="NIKON CORPORATION", model="NIKON D850")),
    "arw": lambda: arw(camera(make="SONY", model="ILCE-7RM4")),
    "dng": lambda: dng(camera(make="Apple", model="iPhone 12 Pro")),
    "pef": lambda: pef(camera(make="PENTAX Corporation", model="PENTAX K-1")),
    "orf": lambda: orf(camera(make="OLYMPUS IMAGING CORP.", model="E-M5")),
    "rw2": lambda: rw2(camera(make="Panasonic", model="DC-GH5")),
    "raf": lambda: raf(camera(make="FUJIFILM", model="X-T4")),
    "mrw": lambda: mrw(camera(make="KONICA MINOLTA", model="DYNAX 5D")),
    "cr3": lambda: cr3(
        Directory({0x010F: ascii_("Canon"), 0x0110: ascii_("Canon EOS R5")}),
        Directory({0x9003: ascii_("2019:01:02 03:04:05")}),
    ),
}
"""One of each, taken on the second of January 2019."""
