"""SVG: it is recognised and its size is read, but it is never rendered. SVG is a document that may request others, run
programs and define entities: only the attributes of its first element are read, without an XML parser.

Source: SVG 2, 8.2 (width, height, viewBox) and CSS Values 3, 6.2 (96 pixels to the inch).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

HEAD_BYTES = 65_536
MAX_ATTRIBUTES = 200
PIXELS = {"": 1.0, "px": 1.0, "pt": 96 / 72, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
"""Pixels per unit; other units depend on the viewer."""
MAX_SIDE = 1_000_000

_ATTRIBUTE = re.compile(r"""\s+([A-Za-z_:][\w:.-]{0,100})\s*=\s*("[^"<]{0,1000}"|'[^'<]{0,1000}')""")
_LENGTH = re.compile(r"\s*\+?([0-9]{1,9}(?:\.[0-9]{0,9})?)([a-z]{0,2})\s*")
_NUMBERS = re.compile(r"[\s,]+")
_SPACE = re.compile(r"\s*")
_ELEMENT = re.compile(r"<(?:[A-Za-z][\w-]{0,20}:)?svg(?=[\s/>])")
_END_OF_TYPE = re.compile(r"\]\s*>")


@dataclass(frozen=True, slots=True)
class Drawing:
    """The size in pixels; None if it has no size of its own."""

    width: int | None = None
    height: int | None = None


def read(head: bytes) -> Drawing | None:
    """Read from the first HEAD_BYTES of a file; None if the first element is not SVG."""
    text = _text(head)
    at = _first_element(text)
    element = None if at is None else _ELEMENT.match(text, at)
    if element is None:
        return None
    attributes = _attributes(text, element.end())
    width, height = _length(attributes.get("width")), _length(attributes.get("height"))
    if width is None or height is None:
        box = [part for part in _NUMBERS.split(attributes.get("viewBox", "").strip()) if part]
        if len(box) == 4:
            width, height = _length(box[2]), _length(box[3])
    return Drawing(width, height) if width is not None and height is not None else Drawing()


def _text(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head[: len(head) & ~1].decode("utf-16", "replace")
    return head.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")


def _first_element(text: str) -> int | None:
    """The offset of the first element: after what an XML document may have before it."""
    at = 0
    while at < len(text):
        space = _SPACE.match(text, at)
        at = at if space is None else space.end()
        if text.startswith("<?", at):
            end, length = text.find("?>", at), 2
        elif text.startswith("<!--", at):
            end, length = text.find("-->", at), 3
        elif text.startswith("<!DOCTYPE", at):
            end, length = _end_of_type(text, at), 1
        else:
            return at if text.startswith("<", at) else None
        if end < 0:
            return None
        at = end + length
    return None


def _end_of_type(text: str, at: int) -> int:
    """The end of the document type declaration, which is not read."""
    end, inside = text.find(">", at), text.find("[", at)
    if inside < 0 or end < inside:
        return end
    closed = _END_OF_TYPE.search(text, inside)
    return -1 if closed is None else closed.end() - 1


def _attributes(text: str, at: int) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for _ in range(MAX_ATTRIBUTES):
        if (found := _ATTRIBUTE.match(text, at)) is None:
            break
        attributes.setdefault(found[1], found[2][1:-1])
        at = found.end()
    return attributes


def _length(text: str | None) -> int | None:
    found = _LENGTH.fullmatch(text or "")
    if found is None or found[2] not in PIXELS:
        return None
    pixels = round(float(found[1]) * PIXELS[found[2]])
    return pixels if 0 < pixels <= MAX_SIDE else None
