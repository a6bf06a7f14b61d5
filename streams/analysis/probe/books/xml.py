"""XML of foreign files as a tree of limited size: elements, depth and text are counted, entities are rejected. What
came before an error is kept, because a book's description is usually intact even if its text is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.parsers import expat

from streams.errors import StreamsError

MAX_ELEMENTS = 100_000
"""The package of a book in a thousand files has three thousand elements."""
MAX_DEPTH = 100
MAX_TEXT = 65_536
"""Characters kept at one place: no text of a description is longer, and text in many pieces would be joined again and
again."""

_BLOCKS = frozenset({"p", "div", "li", "br", "title", "subtitle", "empty-line", "v", "stanza", "h1", "h2", "h3"})


class _Enough(StreamsError):
    """Raised to stop the parser: nothing after this is needed."""


class _Refused(StreamsError):
    """XML that is rejected; the argument is the reason."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """`wrong`: why the rest is missing, as text; None if it was complete."""

    root: Element | None
    wrong: str | None = None


def parsed(pieces: Iterable[bytes], until: str | None = None) -> Parsed:
    """Parse the pieces as one document. `until`: nothing after the end of the first element with this local name is
    read. Names keep their written prefixes, declared or not, because foreign files omit declarations."""
    grown = _Tree(until)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 65_536
    parser.StartElementHandler = grown.start
    parser.EndElementHandler = grown.end
    parser.CharacterDataHandler = grown.text
    parser.EntityDeclHandler = _refuse_entity
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except _Enough:
        return Parsed(grown.root)
    except _Refused as error:
        return Parsed(grown.root, str(error.args[0]))
    except (expat.ExpatError, ValueError, LookupError):  # also for an unknown encoding
        return Parsed(grown.root, "is no whole XML")
    return Parsed(grown.root)


def local(tag: str) -> str:
    """An element's or attribute's name without its prefix."""
    return tag.rpartition(":")[2]


def each(root: Element | None, *names: str) -> Iterator[Element]:
    """Elements with these local names below the root, in order."""
    if root is not None:
        yield from (element for element in root.iter() if local(element.tag) in names)


def first(root: Element | None, name: str) -> Element | None:
    """The first element with a local name."""
    return next(each(root, name), None)


def attribute(element: Element, name: str) -> str | None:
    """An attribute by its local name, whatever its prefix."""
    return next(
        (value for key, value in element.attrib.items() if local(key) == name and not key.startswith("xmlns:")),
        None,
    )


def text(element: Element | None) -> str | None:
    """All text in an element, as written; paragraphs inside are separated."""
    return None if element is None else "".join(_texts(element))[:MAX_TEXT]


def _texts(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        yield " " if local(child.tag) in _BLOCKS else ""
        yield from _texts(child)  # no deeper than MAX_DEPTH
        yield child.tail or ""


def _refuse_entity(*_declaration: object) -> None:
    raise _Refused("defines entities")  # expansions can be nested without limit, and no book needs them


class _Tree:
    def __init__(self, until: str | None) -> None:
        self.root: Element | None = None
        self._until = until
        self._open: list[Element] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._open) >= MAX_DEPTH:
            raise _Refused("has too many elements")
        element = Element(name, attributes)
        if self._open:
            self._open[-1].append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, name: str) -> None:
        self._open.pop()
        if self._until is not None and local(name) == self._until:
            raise _Enough

    def text(self, data: str) -> None:
        inside = self._open[-1]
        if len(inside):
            before = inside[-1].tail or ""
            inside[-1].tail = (before + data)[:MAX_TEXT] if len(before) < MAX_TEXT else before
        else:
            before = inside.text or ""
            inside.text = (before + data)[:MAX_TEXT] if len(before) < MAX_TEXT else before
