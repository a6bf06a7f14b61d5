"""PDF through PDFium: the document information, how many pages it has, the first one rendered as its cover.

Document information is that of ISO 32000-1, 14.3.3; its creation date is when the file was made and not when the book
was published, so it is not used as year. PDFium runs in a fork (`forked`): a page whose pictures do not fit into memory
ends it. It is built without V8 and XFA, and forms and annotations are never loaded, so that nothing in a document is
executed. It reads only what it needs, up to a budget."""

from __future__ import annotations

import ctypes
import io
import math
import re
from typing import BinaryIO

import msgspec
import pypdfium2
import pypdfium2.raw as pdfium

from schemas.found import Found, Tags
from streams.analysis import wire
from streams.analysis.probe import thumbnail
from streams.analysis.probe.books import forked, pieces, words
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean, distinct, language

MAX_BYTES_READ = 134_217_728
"""Bytes read of one document: a damaged one is searched from beginning to end, and may have gigabytes."""
MAX_VALUE_BYTES = 65_536
"""Maximum bytes of one entry of the document information."""
PROCESSOR_SECONDS = 4.0
"""Limit of processor time for everything; a large scanned page takes half a second."""
SECONDS = 8.0
"""Limit of time, where the machine or the disk is busy with something else: what can be said is said before the probe
itself is killed (after 15 s by default)."""
_END_WITHIN = 1_024
"""The end marker must be in so many bytes at the end, as PDF readers require."""
_DATE = re.compile(r"(?:D:)?([0-9]{4})(?:([01][0-9])([0-3][0-9])?)?")
_FIRST, _LAST = 1993, 2100
"""Years in which a PDF can have been made; the first is that of the format."""
_PUBLISHERS = ("Publisher", "EBX_PUBLISHER")
"""Entries in addition to the standard's, the second one Adobe's for books."""

_SAMPLE = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 22>>stream
BT /F 9 Tf (a) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>"""
"""A page with one letter, in a font that is not embedded."""

_decode_picture = msgspec.json.Decoder(wire.Picture).decode


def warm_up() -> None:
    """Render a letter: PDFium searches for fonts when it needs the first one, and each fork would do so again."""
    _look(io.BytesIO(_SAMPLE), lambda _message: None)


def read(file: BinaryIO) -> Read:
    """Raises Damaged."""
    is_cut = b"%%EOF" not in pieces.at(file, max(0, pieces.size(file) - _END_WITHIN), _END_WITHIN)
    outcome = forked.run(
        lambda send: _look(file, send, is_cut=is_cut), processor_seconds=PROCESSOR_SECONDS, seconds=SECONDS
    )
    if not outcome.sent:
        raise Damaged(
            "reading it takes too long"
            if outcome.ended == "late"
            else "it is damaged: the reader of documents gives up"
        )
    reply = wire.decode_reply(outcome.sent[0])
    if reply.found is None:
        raise Damaged(reply.reason or "it is damaged")
    if len(outcome.sent) > 1:
        return Read(reply.found, _decode_picture(outcome.sent[1]))
    why = {
        "late": "no picture of it: drawing its first page takes too long",
        "early": "no picture of it: its first page cannot be drawn, or takes too much memory",
        "whole": "no picture of it: its first page cannot be drawn",
    }[outcome.ended]
    is_locked = reply.reason is not None
    warnings = reply.found.warnings if is_locked else (*reply.found.warnings, why)
    return Read(msgspec.structs.replace(reply.found, warnings=warnings))


def _look(file: BinaryIO, send: forked.Send, *, is_cut: bool = False) -> None:
    """In the fork: send what is known first, then the cover."""
    try:
        document = pypdfium2.PdfDocument(_Source(file))
    except pypdfium2.PdfiumError as error:
        send(wire.encode(_refused(error.err_code)))
        return
    count = len(document)
    if count < 1:
        send(wire.encode(wire.failed("there is no page in it")))
        return
    send(wire.encode(wire.Reply("done", None, _found(document, count, is_cut))))
    picture = _drawn(document)
    if picture is not None:
        send(wire.encode(picture))


def _refused(code: int | None) -> wire.Reply:
    """The reply for a document that PDFium does not open. A protected one is not damaged: its `reason` is that nothing
    can be rendered."""
    match code:
        case pdfium.FPDF_ERR_PASSWORD:
            why = "it is protected by a password: what is in it cannot be read"
        case pdfium.FPDF_ERR_SECURITY:
            why = "it is protected in a way that is not known here: what is in it cannot be read"
        case _:
            return wire.failed("it is damaged or cut off: no page of it can be found")
    return wire.Reply("done", why, Found(category="book", container="pdf", warnings=(why,)))


def _found(document: pypdfium2.PdfDocument, count: int, is_cut: bool) -> Found:
    notes = Notes()
    authors = words.split_names(_entry(document, "Author"))
    title = words.title(_entry(document, "Title"))
    subject = words.prose(words.title(_entry(document, "Subject")))
    tongue = language(_language(document))
    tags = Tags(
        title=title,
        artist=words.joined(authors),
        date=_made(_entry(document, "CreationDate")),
        language=tongue,
        publisher=next((name for key in _PUBLISHERS if (name := words.name(_entry(document, key)))), None),
        description=None if subject == title else subject,
    )
    if is_cut and not pdfium.FPDF_DocumentHasValidCrossReferenceTable(document):
        notes.add("it is cut off: some of it is missing")  # a table that is only wrong is put right without a loss
    if not _has_page(document, count - 1):
        notes.add("it has fewer pages than it says; how many is not known")
    return Found(
        title=title,
        category="book",
        container="pdf",
        pages=count if _has_page(document, count - 1) else None,
        languages=distinct([tongue]),
        tags=None if tags == Tags() else tags,
        credits=words.credits_of((author, "author") for author in authors),
        warnings=notes.all,
    )


def _entry(document: pypdfium2.PdfDocument, key: str) -> str | None:
    """An entry of the document information, which PDFium returns as UTF-16."""
    name = key.encode() + b"\0"
    length = pdfium.FPDF_GetMetaText(document, name, None, 0)
    if not 2 < length <= MAX_VALUE_BYTES:
        return None
    buffer = ctypes.create_string_buffer(length)
    pdfium.FPDF_GetMetaText(document, name, buffer, length)
    return clean(buffer.raw[: length - 2].decode("utf-16-le", "replace"))


def _language(document: pypdfium2.PdfDocument) -> str | None:
    length = pdfium.FPDFCatalog_GetLanguage(document, None, 0)
    if not 2 < length <= 256:
        return None
    buffer = (pdfium.FPDF_WCHAR * (length // 2))()
    pdfium.FPDFCatalog_GetLanguage(document, buffer, length)
    return bytes(buffer)[: length - 2].decode("utf-16-le", "replace")


def _made(text: str | None) -> str | None:
    """`D:20040131120000+01'00'` as a date."""
    found = _DATE.match(text or "")
    if found is None or not _FIRST <= int(found[1]) <= _LAST:
        return None
    return "-".join(part for part in found.groups() if part)


def _has_page(document: pypdfium2.PdfDocument, index: int) -> bool:
    """Whether a page can be found; the document's own count is not trusted."""
    return bool(pdfium.FPDF_GetPageSizeByIndexF(document, index, pdfium.FS_SIZEF()))


def _drawn(document: pypdfium2.PdfDocument) -> wire.Picture | None:
    """The first page, rendered no larger than a thumbnail, whatever its declared size."""
    try:
        page = document[0]
    except pypdfium2.PdfiumError:
        return None
    width, height = page.get_size()
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        return None
    scale = thumbnail.SIDE / max(width, height)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    bitmap = pypdfium2.PdfBitmap.new_native(wide, high, pdfium.FPDFBitmap_BGR)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, wide, high)
    pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, wide, high, 0, pdfium.FPDF_RENDER_LIMITEDIMAGECACHE)
    return thumbnail.of_image(bitmap.to_pil().convert("RGB"))


class _Source:
    """The file as PDFium reads it, up to a budget: a read that fails returns too few bytes, which PDFium treats as an
    error. It must not raise, because exceptions cannot pass through a C library."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MAX_BYTES_READ

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def readinto(self, buffer: bytearray) -> int:
        self._left -= len(buffer)
        if self._left < 0:
            return 0
        try:
            return self._file.readinto(buffer)  # type: ignore[attr-defined,no-any-return]  # a buffered file has it

        except OSError:
            return 0
