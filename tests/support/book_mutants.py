"""Books that went wrong somewhere: cut off, bits turned, parts exchanged or written again and again; outside, and inside of
what they are packed in. The same seed makes the same ones.

`python -m tests.support.book_mutants COUNT SEED` probes so many and says what none may do."""

from __future__ import annotations

import io
import random
import re
import struct
import sys
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from streams.analysis import probe
from streams.analysis.wire import Reply, Request
from tests.support import books, media

MAX_SECONDS = 5.0
PYTHON = re.compile(
    r"Error\b|Exception|Errno|Traceback|<class|object at|NoneType|0x[0-9a-f]{4}|\bcodec\b|bytes-like"
)
"""Text that occurs in a Python exception, and not in a sentence for people."""
OPF = books.package(
    """<dc:title id="t">T</dc:title><meta refines="#t" property="title-type">main</meta><dc:creator id="a">Ada</dc:creator>
<meta refines="#a" property="role">aut</meta><dc:date>1965</dc:date><dc:description>&lt;p&gt;x&lt;/p&gt;</dc:description>
<meta name="calibre:series" content="S"/><meta name="calibre:series_index" content="2.0"/>
<meta name="cover" content="c"/>""",
    '<manifest><item id="c" href="c.jpg" media-type="image/jpeg"/></manifest>'
    '<guide><reference type="cover" href="p.xhtml"/></guide>',
).encode()
COMIC_INFO = (
    b"<ComicInfo><Series>Saga</Series><Number>9</Number><Year>2013</Year><Writer>A, B</Writer></ComicInfo>"
)
DESCRIPTION = """<title-info><author><first-name>A</first-name></author><book-title>T</book-title>
<coverpage><image l:href="#cover.jpg"/></coverpage><sequence name="S" number="1"/></title-info>"""
RTF = rb"{\rtf1\ansi\ansicpg1251{\info{\title \'cc\u8212?x}{\author A}{\creatim\yr2004\mo5\dy6}{\nofpages12}}}"
CORE = b'<c xmlns:dc="d"><dc:title>T</dc:title><dc:creator>A</dc:creator><created>2015-01-02</created></c>'


@dataclass(frozen=True, slots=True)
class Kind:
    """`inner` is what is changed before it is packed."""

    name: str
    inner: bytes
    pack: Callable[[bytes], bytes]


def _zip(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _epub(document: bytes) -> bytes:
    page = b'<html><img src="c.jpg"/></html>'
    boxed = {"META-INF/container.xml": media.container_xml().encode(), "OEBPS/book.opf": document}
    return _zip(**boxed, **{"OEBPS/c.jpg": media.picture(20, 30), "OEBPS/p.xhtml": page})


def _tar(info: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in (
            ("x" * 120 + "/1.jpg", media.picture(20, 30)),
            ("2.jpg", b"x"),
            ("ComicInfo.xml", info),
        ):
            member, contents = books.tar_file(name, data)
            archive.addfile(member, io.BytesIO(contents))
    return out.getvalue()


def _as_it_is(data: bytes) -> bytes:
    return data


def kinds() -> list[Kind]:
    """One of each format."""
    exth = [(100, b"Ada"), (503, b"T"), (106, b"1998-03-02"), (201, struct.pack(">I", 0)), (524, b"de")]
    image = books.pdf_stream(
        bytes(300), b"/Type/XObject/Subtype/Image/Width 10/Height 10/BitsPerComponent 8/ColorSpace/DeviceRGB"
    )
    info = {"Title": "Fjörd", "Author": "A; B", "CreationDate": "D:20190203"}
    shown = books.RED_TOP + b" q 90 0 0 90 9 9 cm /X Do Q"
    return [
        Kind("a.epub", OPF, _epub),
        Kind("a.cbz", COMIC_INFO, lambda inner: _zip(**{"1.jpg": media.picture(20, 30), "ComicInfo.xml": inner})),
        Kind("a.cbz", media.picture(20, 30), lambda inner: _zip(**{"1.jpg": inner})),
        Kind("a.cbt", COMIC_INFO, _tar),
        Kind(
            "a.pdf",
            books.pdf(4, info, content=shown, resources=b"/XObject<</X 90 0 R>>", more={90: image}),
            _as_it_is,
        ),
        Kind("a.pdf", shown, lambda inner: books.pdf(2, info, content=inner)),
        Kind("a.pdf", books.locked_pdf(), _as_it_is),
        Kind("a.mobi", books.mobi("T", exth, [media.picture(20, 30)]), _as_it_is),
        Kind("a.fb2", books.fictionbook(DESCRIPTION, media.picture(20, 30)), _as_it_is),
        Kind(
            "a.fb2",
            books.fictionbook(DESCRIPTION, encoding="windows-1251"),
            lambda inner: _zip(**{"a.fb2": inner}),
        ),
        Kind("a.cbr", books.rar4({"1.jpg": media.picture(20, 30), "2.jpg": b"x"}), _as_it_is),
        Kind("a.cbr", books.rar5({"1.jpg": media.picture(20, 30), "2.jpg": b"x"}), _as_it_is),
        Kind("a.djvu", books.djvu(4), _as_it_is),
        Kind("a.rtf", RTF, _as_it_is),
        Kind("a.docx", CORE, lambda inner: _zip(**{"word/document.xml": b"", "docProps/core.xml": inner})),
    ]


def mutants(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Names and contents."""
    chance = random.Random(seed)
    all_kinds = kinds()
    whole = [kind.pack(kind.inner) for kind in all_kinds]
    for _ in range(count):
        kind = chance.choice(all_kinds)
        is_outside = chance.random() < 0.5
        data = whole[all_kinds.index(kind)] if is_outside else kind.inner
        for _ in range(chance.choice((1, 1, 2, 5))):
            data = _changed(data, chance, whole)
        name = chance.choice(all_kinds).name if chance.random() < 0.1 else kind.name
        yield name, data if is_outside else kind.pack(data)


def _changed(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice((1, 4, 16, 200, 5_000)))
    match chance.randrange(7):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[end:]
        case 2:
            return data[:end] + data[at:end] * chance.choice((1, 3, 50, 1_000)) + data[end:]
        case 3:
            other = chance.choice(others)
            start = chance.randrange(len(other))
            return data[:at] + other[start : start + end - at] + data[end:]
        case 4:
            return (
                data[:at]
                + chance.choice((b"\xff", b"\0", b"9", b"<", b"(", b"\x7f\xff\xff\xff")) * (end - at)
                + data[end:]
            )
        case 5:
            return re.sub(
                rb"[0-9]+", lambda _: b"%d" % chance.choice((0, 1, 65_535, 2**31 - 1, 2**63)), data, count=at % 50
            )
        case _:
            turned = bytearray(data)
            for _ in range(chance.choice((1, 3, 20))):
                if turned:
                    turned[chance.randrange(len(turned))] ^= 1 << chance.randrange(8)
            return bytes(turned)


def complaint(reply: Reply, seconds: float) -> str | None:
    """What a reply does that none may."""
    texts = [reply.reason or "", *(reply.found.warnings if reply.found else ())]
    wrong = next((text for text in texts if PYTHON.search(text)), None)
    if wrong is not None:
        return f"an exception's text: {wrong}"
    if reply.status == "failed" and not reply.reason:
        return "no reason"
    if seconds > MAX_SECONDS:
        return f"{seconds:.1f} s"
    size = len(msgspec.json.encode(reply.found))
    return f"{size} bytes" if size > 60_000 else None


def probed(name: str, data: bytes) -> tuple[Reply, float]:
    """The reply, and how many seconds it took."""
    began = time.monotonic()
    reply = probe.probe(io.BytesIO(data), Request("book", name))
    return reply, time.monotonic() - began


def main(count: int, seed: int) -> None:
    """Say what was wrong, and what the answers were."""
    probe.warm_up()
    answers: Counter[str] = Counter()
    slowest = 0.0
    for number, (name, data) in enumerate(mutants(count, seed)):
        reply, seconds = probed(name, data)
        slowest = max(slowest, seconds)
        answers[reply.status + ": " + (reply.reason or "")] += 1
        for text in reply.found.warnings if reply.found else ():
            answers["warning: " + re.sub(r"^.{0,80} in it ", "… in it ", text)] += 1
        wrong = complaint(reply, seconds)
        if wrong is not None:
            print(f"mutant {number} of {name} ({len(data)} bytes): {wrong}")
    print(f"{count} mutants, the slowest took {slowest:.2f} s")
    for text, often in answers.most_common(60):
        print(f"{often:6} {text}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
