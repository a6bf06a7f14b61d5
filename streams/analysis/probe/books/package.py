"""The metadata in an EPUB's package document: OPF 2.0.1 (2.2 Metadata) and EPUB 3.3 (5.4 Metadata), and what calibre
adds. Elements are identified by their local names, because old and broken books use other namespaces. This module knows
nothing of the archive."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from schemas.found import Credit, Tags
from streams.analysis.probe.books import words, xml
from streams.analysis.probe.text import clean, distinct, language, year

MAX_FIELDS = 200
"""Maximum names and dates that are read; a book of essays has fifty."""
_ORIGINAL = ("original-publication", "published", "publication", "issued", "")
"""A date's `opf:event`, the better ones first; EPUB 3 has one date without, and it is this. `creation` and
`modification` are the file's."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """`languages`: all of them; `tags.language`: the first."""

    tags: Tags
    credits: tuple[Credit, ...]
    languages: tuple[str, ...]
    year: int | None


def read_metadata(package: Element) -> Metadata:
    """Read the metadata."""
    refined = _Refined(package)
    people = _people(package, refined)
    tongues = distinct([language(element.text) for element in xml.each(package, "language")])
    date = _published(package)
    series, number = _series(package, refined)
    tags = Tags(
        title=_title(package, refined),
        artist=_authors(people),
        genre=words.joined((clean(e.text) for e in xml.each(package, "subject")), words.MAX_GENRES),
        date=date,
        narrator=words.joined(person for person, role, _ in people if role == "narrator"),
        series=series,
        number=number,
        language=tongues[0] if tongues else None,
        publisher=words.name(xml.text(xml.first(package, "publisher"))),
        description=words.prose(xml.text(xml.first(package, "description"))),
    )
    return Metadata(tags, words.credits_of((person, role) for person, role, _ in people), tongues, year(date))


class _Refined:
    """EPUB 3's `meta` elements: by what they refine, and by their property."""

    def __init__(self, package: Element) -> None:
        self._of: dict[tuple[str, str], list[str]] = {}
        for meta in xml.each(package, "meta"):
            about, kind = meta.get("refines"), meta.get("property")
            if about and kind and meta.text:
                self._of.setdefault((about.strip().removeprefix("#"), kind.strip()), []).append(meta.text.strip())

    def all(self, element: Element, kind: str) -> list[str]:
        return self._of.get((element.get("id") or "", kind), [])

    def one(self, element: Element, kind: str) -> str | None:
        return next(iter(self.all(element, kind)), None)


Person = tuple[str | None, str | None, bool]
"""Name, role, and whether the package calls it a creator."""


def _people(package: Element, refined: _Refined) -> list[Person]:
    """The people. EPUB 2 has the role at the name, EPUB 3 in a `meta` that refines it; a creator without a role is an
    author."""
    found: list[Person] = []
    for element in list(xml.each(package, "creator", "contributor"))[:MAX_FIELDS]:
        is_creator = xml.local(element.tag) == "creator"
        declared = xml.attribute(element, "role")
        codes: list[str] = (
            ([declared] if declared else []) or refined.all(element, "role") or (["aut"] if is_creator else [])
        )
        if any(code.strip().casefold() in words.MAKERS for code in codes):
            continue
        person = words.name(xml.text(element))
        found.extend((person, words.role(code), is_creator) for code in codes[:3] or [""])
    return found


def _authors(people: list[Person]) -> str | None:
    """The authors, in order; not the translators, artists or producers, unless no other creator is named."""
    creators = [(person, role) for person, role, is_creator in people if is_creator]
    return words.joined(person for person, role in creators if role == "author") or words.joined(
        [person for person, role, _ in people if role == "author"] or [person for person, _ in creators]
    )


def _title(package: Element, refined: _Refined) -> str | None:
    titles = [e for e in xml.each(package, "title") if clean(e.text)]
    main = next((e for e in titles if refined.one(e, "title-type") == "main"), titles[0] if titles else None)
    return None if main is None else words.title(main.text)


def _published(package: Element) -> str | None:
    """When the book was published: not when the file was made, or changed last, whatever comes first."""
    dates = [(xml.attribute(e, "event") or "", e.text) for e in xml.each(package, "date")]
    dates += [("issued", e.text) for e in xml.each(package, "meta") if e.get("property") == "dcterms:issued"]
    dated = [(event.strip().casefold(), words.day(text)) for event, text in dates[:MAX_FIELDS]]
    for wanted in _ORIGINAL:
        found = [date for event, date in dated if event == wanted and date is not None]
        if found:
            return min(found, key=lambda date: year(date) or 0)
    return None


def _series(package: Element, refined: _Refined) -> tuple[str | None, str | None]:
    """EPUB 3's `belongs-to-collection`, a series before a set; otherwise calibre's two `meta`."""
    metas = list(xml.each(package, "meta"))
    collections = [e for e in metas if e.get("property") == "belongs-to-collection" and clean(e.text)]
    collections.sort(key=lambda e: refined.one(e, "collection-type") != "series")
    if collections:
        chosen = collections[0]
        return clean(chosen.text), words.ordinal(refined.one(chosen, "group-position"))
    named = {e.get("name"): e.get("content") for e in reversed(metas)}
    series = clean(named.get("calibre:series"))
    return series, None if series is None else words.ordinal(named.get("calibre:series_index"))
