"""Raw files that are TIFF inside, which most are: Canon's CR2, Nikon's NEF and NRW, Sony's ARW, SR2 and SRF, Adobe's DNG,
Pentax's PEF, Olympus's ORF, Panasonic's RW2 and RWL, Samsung's SRW, Hasselblad's 3FR, Phase One's IIQ, Epson's ERF,
Kodak's DCR and KDC, Mamiya's MEF, Leaf's MOS.

Sources: TIFF 6.0 and TIFF/EP (ISO 12234-2) for the directories, the DNG specification 1.6 for tags above 0xC600; for what
the makers have not published ExifTool's tables: Image::ExifTool::Exif (0x0201, 0x0202, compressions), CanonRaw, Olympus
(0x2020, 0x0101, 0x0102), PanasonicRaw (0x0002 to 0x0007, 0x002E).
"""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

from streams.analysis.probe import exif, ifd
from streams.analysis.probe.exif import Shot
from streams.analysis.probe.ifd import ByteOrder, Directory, Tiff
from streams.analysis.probe.raw_preview import Part, Raw, seen_size
from streams.analysis.probe.text import number

SUBFILE, WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC = 0x00FE, 0x0100, 0x0101, 0x0103, 0x0106
STRIPS, STRIP_LENGTHS, SUB_DIRECTORIES, MAKER_NOTE = 0x0111, 0x0117, 0x014A, 0x927C
DNG_VERSION, DNG_CROP, DNG_LENS = 0xC612, 0xC620, 0xC630
PANASONIC_EDGES, PANASONIC_JPEG = (4, 5, 6, 7), 0x002E
OLYMPUS_SETTINGS, OLYMPUS_PREVIEW, OLYMPUS_PREVIEW_LENGTH = 0x2020, 0x0101, 0x0102

SENSOR_PHOTOMETRICS = (32803, 34892)
"""A colour filter array; a linear raw picture."""
SENSOR_COMPRESSIONS = (34713, 32767, 32770, 65535)
"""Nikon's, Sony's, Samsung's, Pentax's."""
JPEG_COMPRESSIONS = (6, 7)
EXTENSIONS = frozenset((
    "3fr", "arw", "cr2", "dcr", "dng", "erf", "iiq", "kdc", "mef", "mos", "nef", "nrw", "orf", "pef", "raw", "rw2",
    "rwl", "sr2", "srf", "srw",
))  # fmt: skip
MAKERS = {
    "NIKON": "nef", "SONY": "arw", "PENTAX": "pef", "RICOH": "pef", "SAMSUNG": "srw", "CANON": "cr2", "EPSON": "erf",
    "SEIKO": "erf", "HASSELBLAD": "3fr", "PHASE": "iiq", "KODAK": "dcr", "EASTMAN": "dcr",
}  # fmt: skip
"""The extension for the first word of the camera's maker, for files with another extension."""
_OLYMPUS_NOTES = ((b"OLYMPUS\0", 8, 12), (b"OM SYSTEM\0\0\0", 12, 16))
"""How a maker note begins, and the offsets of its byte order and its directory, from the note's beginning."""


def read(file: BinaryIO, extension: str) -> Raw | None:
    """Read a raw file; None if it is not TIFF, or a TIFF that is not a raw file."""
    tiff = ifd.opened(file)
    if tiff is None:
        return None
    chain = tiff.chain()
    if not chain:
        return None
    below = [sub for directory in chain for sub in directory.below(SUB_DIRECTORIES)]
    every = [*chain, *below]
    file.seek(0)
    container = _container(file.read(12), every, extension)
    if container is None:
        return None
    parts = [part for directory in every for part in _parts(directory, container)]
    parts += _olympus(file, chain[0]) if container == "orf" else []
    shot = _shot(chain)
    sensor = _panasonic(chain[0]) if container in ("rw2", "rwl") else _largest(every)
    return Raw(container, shot, *seen_size(*sensor, shot), tuple(parts))


def _container(head: bytes, every: list[Directory], extension: str) -> str | None:
    """The format by the content; by the name if formats cannot be distinguished otherwise."""
    magic = head[2:4] if head[:2] == b"II" else head[3:1:-1]
    if magic in (b"RO", b"RS"):
        return "orf"
    if magic == b"U\0":
        return "rwl" if extension == "rwl" else "rw2"
    if head[8:10] == b"CR":
        return "cr2"
    if DNG_VERSION in every[0].entries:
        return "dng"
    made = (every[0].text(exif.MAKE) or "").upper().split()
    if not any(_is_sensor(directory) for directory in every) and not (made and extension in EXTENSIONS):
        return None
    return extension if extension in EXTENSIONS else MAKERS.get(made[0] if made else "", "raw")


def _is_sensor(directory: Directory) -> bool:
    return (
        directory.number(PHOTOMETRIC) in SENSOR_PHOTOMETRICS
        or directory.number(COMPRESSION) in SENSOR_COMPRESSIONS
    )


def _shot(chain: list[Directory]) -> Shot:
    shot = exif.of_chain(chain)
    return shot if shot.lens else replace(shot, lens=exif.lens_of(chain[0], exif.LENS_MODEL, DNG_LENS))


def _parts(directory: Directory, container: str) -> list[Part]:
    found: list[Part] = []
    place, length = directory.number(exif.JPEG_PLACE), directory.number(exif.JPEG_LENGTH)
    if place and length:
        found.append(Part(place, length))
    if directory.number(COMPRESSION) in JPEG_COMPRESSIONS:
        places, lengths = directory.numbers(STRIPS), directory.numbers(STRIP_LENGTHS)
        if len(places) == len(lengths) == 1:
            found.append(Part(places[0], lengths[0]))
    whole = directory.entries.get(PANASONIC_JPEG) if container in ("rw2", "rwl") else None
    return found if whole is None else [*found, Part(whole.place, whole.length)]


def _olympus(file: BinaryIO, main: Directory) -> list[Part]:
    """The preview in the maker note, with offsets relative to the note."""
    note = next((d.entries[MAKER_NOTE] for d in _details(main) if MAKER_NOTE in d.entries), None)
    if note is None:
        return []
    head = main.tiff.at(note.place, 16)
    for sign, order_at, first in _OLYMPUS_NOTES:
        if not head.startswith(sign):
            continue
        order: ByteOrder = "<" if head[order_at : order_at + 2] == b"II" else ">"
        tiff = Tiff(file, order, first, note.place)
        for directory in tiff.chain()[:1]:
            for settings in directory.below(OLYMPUS_SETTINGS):
                place, length = settings.number(OLYMPUS_PREVIEW), settings.number(OLYMPUS_PREVIEW_LENGTH)
                if place and length:
                    return [Part(note.place + place, length)]
    return []


def _details(main: Directory) -> list[Directory]:
    """The Exif directory again, on a separate walk, because on one walk each is read only once."""
    tiff = main.tiff.anew()
    return [
        found for place in main.numbers(exif.EXIF_DIRECTORY)[:1] if (found := tiff.directory(place)) is not None
    ]


def _largest(every: list[Directory]) -> tuple[int | None, int | None]:
    """The largest size of the directories that are not reduced versions; with the camera's default crop, if there is
    one."""
    sizes = [
        (wide * high, wide, high, directory)
        for directory in every
        if not (directory.number(SUBFILE) or 0) & 1
        and (wide := number(directory.number(WIDTH))) is not None
        and (high := number(directory.number(HEIGHT))) is not None
    ]
    if not sizes:
        return None, None
    _, wide, high, directory = max(sizes, key=lambda size: size[:3])
    cut = directory.numbers(DNG_CROP) or tuple(int(part) for part in directory.ratios(DNG_CROP) if part == part)
    if len(cut) == 2 and 0 < cut[0] <= wide and 0 < cut[1] <= high:
        wide, high = cut
    return wide, high


def _panasonic(main: Directory) -> tuple[int | None, int | None]:
    """The size from the sensor's borders."""
    top, left, bottom, right = (main.number(tag) or 0 for tag in PANASONIC_EDGES)
    return number(right - left), number(bottom - top)
