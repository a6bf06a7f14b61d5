"""Books and comics, written from scratch according to their formats, and malicious ones."""

from __future__ import annotations

import base64
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.support import media

OPF = (
    'xmlns="http://www.idpf.org/2007/opf" xmlns:opf="http://www.idpf.org/2007/opf" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def package(metadata: str, rest: str = "<manifest/>", version: str = "3.0") -> str:
    """An EPUB's package document."""
    return (
        f'<?xml version="1.0"?><package {OPF} version="{version}"><metadata>{metadata}</metadata>{rest}</package>'
    )


def epub(path: Path, document: str, members: Mapping[str, bytes | str] | None = None) -> Path:
    """An EPUB whose package is `document`; other members by their names."""
    return zipped(
        path,
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": media.container_xml(),
            "OEBPS/book.opf": document,
            **(members or {}),
        },
    )


def zipped(path: Path, members: Mapping[str, bytes | str]) -> Path:
    """A ZIP archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]], kind: int = tarfile.PAX_FORMAT) -> Path:
    """A TAR archive."""
    with tarfile.open(path, "w", format=kind) as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return path


def tar_file(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    """A regular file of a TAR archive."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    return member, data


def pdf_text(text: str) -> bytes:
    """A text string: PDFDocEncoding where it is ASCII, else UTF-16BE with its mark (ISO 32000-1, 7.9.2)."""
    if text.isascii():
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        return b"(" + escaped.encode() + b")"
    return b"<feff" + text.encode("utf-16-be").hex().encode() + b">"


def pdf_objects(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """A PDF file of these objects, the first one its catalogue, with a right cross-reference table (ISO 32000-1, 7.5)."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, size = len(out), max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(out)


def pdf_stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream, deflated."""
    packed = zlib.compress(content)
    return b"<</Length %d/Filter/FlateDecode%s>>stream\n%s\nendstream" % (len(packed), entries, packed)


RED_TOP = b"1 0 0 rg 0 421 595 421 re f BT /F1 24 Tf 0 g 72 600 Td (The first page) Tj ET"
"""The upper half of a page red, and words on it."""


def pdf(
    pages: int = 17,
    info: Mapping[str, str | bytes] | None = None,
    *,
    content: bytes = RED_TOP,
    box: str = "0 0 595 842",
    count: int | None = None,
    resources: bytes = b"",
    more: Mapping[int, bytes] | None = None,
    trailer: bytes = b"",
) -> bytes:
    """A document. The first page shows `content`; `count` is what the page tree claims; `more` are further objects."""
    first = 10
    kids = b" ".join(b"%d 0 R" % (first + index) for index in range(pages))
    information = b"".join(
        b"/%s %s" % (key.encode(), value if isinstance(value, bytes) else pdf_text(value))
        for key, value in (info or {}).items()
    )
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R/Lang(en-GB)>>",
        2: b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages if count is None else count, kids),
        3: b"<<" + information + b">>",
        4: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        5: pdf_stream(content),
        6: b"<</Font<</F1 4 0 R>>%s>>" % resources,
    }
    for index in range(pages):
        shown = b"/Contents 5 0 R/Resources 6 0 R" if index == 0 else b""
        objects[first + index] = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]%s>>" % (box.encode(), shown)
    return pdf_objects({**objects, **(more or {})}, b"/Info 3 0 R" + trailer)


def locked_pdf() -> bytes:
    """A document that opens with a password (ISO 32000-1, 7.6.3): its check values are nobody's."""
    lock = b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (b"11" * 32, b"22" * 32)
    return pdf(3, {"Title": "Secret"}, more={100_000: lock}, trailer=b"/Encrypt 100000 0 R/ID[<00><00>]")


def mobi(
    title: str,
    exth: Iterable[tuple[int, bytes]],
    images: Iterable[bytes] = (),
    *,
    version: int = 6,
    encoding: int = 65_001,
    locale: int = 9,
) -> bytes:
    """A Mobipocket book (wiki.mobileread.com, `MOBI`): its first record, one of text, and its pictures."""
    records = b"".join(struct.pack(">II", kind, 8 + len(value)) + value for kind, value in exth)
    count = sum(1 for _ in exth) if isinstance(exth, (list, tuple)) else 0
    name = title.encode("utf-8" if encoding == 65_001 else "cp1252")
    header = bytearray(232)
    header[:4] = b"MOBI"
    struct.pack_into(">IIII", header, 4, len(header), 2, encoding, 1)
    struct.pack_into(">I", header, 36 - 16, version)
    extra = b"EXTH" + struct.pack(">II", 12 + len(records), count) + records
    struct.pack_into(">III", header, 84 - 16, 16 + len(header) + len(extra), len(name), locale)
    struct.pack_into(">I", header, 108 - 16, 2)
    struct.pack_into(">I", header, 128 - 16, 0x40)
    palm = struct.pack(">HHIHHHH", 1, 0, 5, 1, 4096, 0, 0)
    return palm_database(b"BOOKMOBI", [palm + bytes(header) + extra + name, b"Hello", *images])


def palm_database(kind: bytes, records: list[bytes], name: bytes = b"A_Book") -> bytes:
    """A Palm database (wiki.mobileread.com, `PDB`)."""
    head = name.ljust(32, b"\0")[:32] + bytes(28) + kind + bytes(8) + struct.pack(">H", len(records))
    at = len(head) + 8 * len(records) + 2
    table = b""
    for index, record in enumerate(records):
        table += struct.pack(">II", at, index)
        at += len(record)
    return head + table + b"\0\0" + b"".join(records)


def fictionbook(description: str, cover: bytes | None = None, *, encoding: str = "utf-8", text: str = "") -> bytes:
    """A FictionBook; its cover is the binary `cover.jpg`, behind another one."""
    binaries = '<binary id="map.png" content-type="image/png">AAAA</binary>'
    if cover is not None:
        data = base64.encodebytes(cover).decode()
        binaries += f'<binary content-type="image/jpeg" id="cover.jpg">{data}</binary>'
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>\n'
        '<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0" xmlns:l="http://www.w3.org/1999/xlink">'
        f"<description>{description}</description><body><section><p>{text}</p></section></body>{binaries}</FictionBook>"
    ).encode(encoding)


def djvu(pages: int, size: tuple[int, int] = (2_480, 3_508)) -> bytes:
    """A bundled document with a dictionary of shapes before its pages (DjVu 3, 8.3)."""
    info = b"INFO" + struct.pack(">IHH", 10, *size) + bytes(6)
    parts = [b"FORM" + struct.pack(">I", 4) + b"DJVI"]
    parts += [b"FORM" + struct.pack(">I", 4 + len(info)) + b"DJVU" + info] * pages
    listing = 3 + 4 * len(parts)
    at, places = 24 + listing + listing % 2, []
    for part in parts:
        places.append(at)
        at += len(part)
    directory = struct.pack(">BH", 0x81, len(parts)) + b"".join(struct.pack(">I", place) for place in places)
    body = b"DJVMDIRM" + struct.pack(">I", listing) + directory + bytes(listing % 2) + b"".join(parts)
    return b"AT&TFORM" + struct.pack(">I", len(body)) + body


def rar4(members: Mapping[str, bytes], method: int = 0x30, flags: int = 0) -> bytes:
    """A RAR archive of versions 1.5 to 4, its members stored, or called compressed by another method."""
    out = b"Rar!\x1a\x07\x00" + struct.pack("<HBHHHI", 0, 0x73, flags, 13, 0, 0)
    for name, data in members.items():
        encoded = name.encode()
        size = 32 + len(encoded)
        out += struct.pack("<HBHH", 0, 0x74, 0x8000, size)
        out += struct.pack(
            "<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0, 20, method, len(encoded), 0o644
        )
        out += encoded + data
    return out + struct.pack("<HBHH", 0, 0x7B, 0x4000, 7)


def rar5(members: Mapping[str, bytes], method: int = 0, kind: int = 1) -> bytes:
    """A RAR archive of version 5. `kind`: of the first block, 1 for the archive's header, 4 for one that is locked."""

    def number(value: int) -> bytes:
        out = b""
        while value > 0x7F:
            out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
        return out + bytes([value])

    def block(body: bytes, data: bytes = b"") -> bytes:
        return bytes(4) + number(len(body)) + body + data

    out = b"Rar!\x1a\x07\x01\x00" + block(number(kind) + b"\0\0")
    for name, data in members.items():
        encoded = name.encode()
        about = (
            b"\x04"
            + number(len(data))
            + b"\0"
            + bytes(4)
            + number(method << 7)
            + b"\0"
            + number(len(encoded))
            + encoded
        )
        out += block(b"\x02\x02" + number(len(data)) + about, data)
    return out + block(b"\x05\0\0")
