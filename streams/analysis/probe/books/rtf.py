"""Rich Text Format: the document's information, which stands near the beginning.

Control words are those of the RTF Specification 1.9.1 (Microsoft, 2008): the group `\\info`, its texts in the code page
that `\\ansicpg` names or in `\\uN`. The date when it was made is not used as the book's year."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from schemas.found import Found, Tags
from streams.analysis.probe.books import pieces, words
from streams.analysis.probe.read import Read
from streams.analysis.probe.text import clean, number

SEARCHED = 262_144
"""The information must be in the first so many bytes: fonts and styles come before it."""
MAX_VALUE = 4_096
"""Maximum bytes of one text."""
_PAGE = re.compile(rb"\\ansicpg([0-9]{1,5})")
_CREATED = re.compile(rb"\\creatim\\yr([0-9]{4})(?:\\mo([0-9]{1,2})(?:\\dy([0-9]{1,2}))?)?")
_PAGES = re.compile(rb"\\nofpages([0-9]{1,6})(?![0-9])")
_TOKEN = re.compile(
    rb"\\'(?P<byte>[0-9a-fA-F]{2})|\\u(?P<code>-?[0-9]{1,6}) ?(?:\\'[0-9a-fA-F]{2}|[^\\{}])?"
    rb"|\\[a-z]{1,32}(?:-?[0-9]{1,10})? ?|\\(?P<sign>[\\{}])|\\.|(?P<brace>[{}])|(?P<plain>[^\\{}]+)",
    re.DOTALL,
)


def read(file: BinaryIO) -> Read:
    """Read a document; one without information is valid too."""
    head = pieces.at(file, 0, SEARCHED)
    start = head.find(rb"{\info")
    info = b"" if start < 0 else head[start : start + 16 * MAX_VALUE]
    page = _code_page(head)
    authors = words.split_names(_value(info, b"author", page))
    tags = Tags(
        title=words.title(_value(info, b"title", page)),
        artist=words.joined(authors),
        date=_date(info),
        description=words.prose(_value(info, b"subject", page)),
    )
    pages = _PAGES.search(info)
    return Read(
        Found(
            title=tags.title,
            category="book",
            container="rtf",
            pages=None if pages is None else number(int(pages[1])),
            tags=None if tags == Tags() else tags,
            credits=words.credits_of((author, "author") for author in authors),
        )
    )


def _code_page(head: bytes) -> str:
    found = _PAGE.search(head)
    name = "cp1252" if found is None else f"cp{int(found[1])}"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


def _value(info: bytes, key: bytes, page: str) -> str | None:
    """The text of the group `{\\key text}`."""
    start = info.find(b"{\\" + key + b" ")
    if start < 0:
        return None
    depth, text, run = 0, [], b""
    for token in _TOKEN.finditer(info[start : start + MAX_VALUE]):
        if token["byte"] is not None:
            run += bytes([int(token["byte"], 16)])
            continue
        if token["plain"] is not None or token["sign"] is not None:
            run += (token["plain"] or token["sign"]).replace(b"\r", b"").replace(b"\n", b"")
            continue
        text.append(run.decode(page, "replace"))
        run = b""
        if token["code"] is not None:
            text.append(chr(int(token["code"]) % 0x10000))
        elif token["brace"] is not None:
            depth += 1 if token["brace"] == b"{" else -1
            if depth <= 0:
                break
    text.append(run.decode(page, "replace"))
    return clean(
        "".join(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )  # surrogate pairs become one character


def _date(info: bytes) -> str | None:
    found = _CREATED.search(info)
    if found is None:
        return None
    return words.day(
        "-".join([found[1].decode(), *(part.decode().zfill(2) for part in found.groups()[1:] if part)])
    )
