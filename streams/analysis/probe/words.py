"""Texts about a picture: its title and a description, in XMP or IPTC.

Sources: XMP 1.0 part 1 (ISO 16684-1), 7.5 and 8.4 (`dc:title`, `dc:description`: alternatives by language); IPTC-NAA
Information Interchange Model 4.2, datasets 2:05 and 2:120, and 1:90 for the letters they are written in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from streams.analysis.probe.text import clean

MAX_XMP_BYTES = 262_144
"""Maximum bytes; without its extensions XMP has at most 64 KiB in a JPEG."""
MAX_IPTC_BYTES = 65_536
MAX_DATASETS = 512
_DC = "{http://purl.org/dc/elements/1.1/}"
_ITEM = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_IPTC_RESOURCE = 0x0404
"""Photoshop's resource number for IPTC (Adobe Photoshop File Formats Specification, image resources)."""
_UTF8 = b"\x1b%G"
_CHARSET, _TITLE, _CAPTION = (1, 90), (2, 5), (2, 120)


@dataclass(frozen=True, slots=True)
class Words:
    """Title and description, each as a line of text."""

    title: str | None = None
    description: str | None = None


def of_info(info: Mapping[str | tuple[int, int], object]) -> Words:
    """From the info that Pillow found with a picture: XMP first."""
    written = of_xmp(_xmp(info))
    photoshop = info.get("photoshop")
    block = photoshop.get(_IPTC_RESOURCE) if isinstance(photoshop, dict) else None
    older = _of_iptc(block) if isinstance(block, bytes) else Words()
    return Words(written.title or older.title, written.description or older.description)


def _xmp(info: Mapping[str | tuple[int, int], object]) -> bytes:
    for name in ("xmp", "XML:com.adobe.xmp"):
        match info.get(name):
            case bytes() as data:
                return data
            case str() as text:
                return text.encode("utf-8", "replace")
    return b""


def of_xmp(data: bytes) -> Words:
    """From an XMP packet; nothing from one that is damaged, or that defines entities, which no packet needs."""
    text = data[: MAX_XMP_BYTES + 1].decode("utf-8", "replace").strip("\0 \t\r\n\ufeff")
    if not text or len(data) > MAX_XMP_BYTES or "<!" in text:
        return Words()
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - text with declarations is rejected above
    except (ElementTree.ParseError, ValueError):
        return Words()
    return Words(_alternative(root, "title"), _alternative(root, "description"))


def _alternative(root: ElementTree.Element, name: str) -> str | None:
    """The default alternative, or the first."""
    element = next(root.iter(_DC + name), None)
    if element is None:
        return None
    items = list(element.iter(_ITEM))
    chosen = next((item for item in items if item.get(_LANGUAGE) == "x-default"), items[0] if items else element)
    return clean(chosen.text)


def _of_iptc(data: bytes) -> Words:
    datasets: dict[tuple[int, int], bytes] = {}
    at = 0
    for _ in range(MAX_DATASETS):
        head = data[at : at + 5]
        if len(head) < 5 or head[0] != 0x1C or at > MAX_IPTC_BYTES:
            break
        length = int.from_bytes(head[3:5], "big")
        datasets.setdefault((head[1], head[2]), data[at + 5 : at + 5 + length])
        at += 5 + length
    letters = "utf-8" if datasets.get(_CHARSET) == _UTF8 else "latin-1"

    def line(dataset: tuple[int, int]) -> str | None:
        return clean(datasets.get(dataset, b"").decode(letters, "replace"))

    return Words(line(_TITLE), line(_CAPTION))
