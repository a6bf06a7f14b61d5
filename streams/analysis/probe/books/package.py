"""What an EPUB's package document says of the book: OPF 2.0.1 (2.2 Metadata) and EPUB 3.3 (5.4 Metadata), and what
calibre adds. Elements are known by their local names, for old and broken books write other namespaces. Knows nothing of
the archive."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from schemas.found import Credit, Tags
from streams.analysis.probe.books import words, xml
from streams.analysis.probe.text import clean, distinct, language, year

MAX_SAID = 200
"""Names, and dates, that are looked at; a book of essays has fifty."""
_ORIGINAL = ("original-publication", "published", "publication", "issued", "")
"""A date's `opf:event`, the better ones first; EPUB 3 has one date without, and it is this. `creation` and
`modification` are the file's."""


@dataclass(frozen=True, slots=True)
class Told:
    """`languages` are all of them, `tags.language` the first."""

    tags: Tags
    credits: tuple[Credit, ...]
    languages: tuple[str, ...]
    year: int | None


def told(package: Element) -> Told:
    """What the metadata say."""
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
        narrator=words.joined(who for who, does, _ in people if does == "narrator"),
        series=series,
        number=number,
        language=tongues[0] if tongues else None,
        publisher=words.name(xml.text(xml.first(package, "publisher"))),
        description=words.prose(xml.text(xml.first(package, "description"))),
    )
    return Told(tags, words.credits_of((who, does) for who, does, _ in people), tongues, year(date))


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
    """EPUB 2 says the role at the name, EPUB 3 in a `meta` that refines it; a creator without one is an author."""
    found: list[Person] = []
    for element in list(xml.each(package, "creator", "contributor"))[:MAX_SAID]:
        is_creator = xml.local(element.tag) == "creator"
        said = xml.attribute(element, "role")
        codes: list[str] = (
            ([said] if said else []) or refined.all(element, "role") or (["aut"] if is_creator else [])
        )
        if any(code.strip().casefold() in words.MAKERS for code in codes):
            continue
        who = words.name(xml.text(element))
        found.extend((who, words.role(code), is_creator) for code in codes[:3] or [""])
    return found


def _authors(people: list[Person]) -> str | None:
    """Who wrote it, in their order; not who translated, drew or made it, unless nobody else is named as its creator."""
    creators = [(who, does) for who, does, is_creator in people if is_creator]
    return words.joined(who for who, does in creators if does == "author") or words.joined(
        [who for who, does, _ in people if does == "author"] or [who for who, _ in creators]
    )


def _title(package: Element, refined: _Refined) -> str | None:
    titles = [e for e in xml.each(package, "title") if clean(e.text)]
    main = next((e for e in titles if refined.one(e, "title-type") == "main"), titles[0] if titles else None)
    return None if main is None else words.title(main.text)


def _published(package: Element) -> str | None:
    """When the book came out: not when the file was made, or changed last, whatever stands first."""
    dates = [(xml.attribute(e, "event") or "", e.text) for e in xml.each(package, "date")]
    dates += [("issued", e.text) for e in xml.each(package, "meta") if e.get("property") == "dcterms:issued"]
    said = [(event.strip().casefold(), words.day(text)) for event, text in dates[:MAX_SAID]]
    for wanted in _ORIGINAL:
        found = [date for event, date in said if event == wanted and date is not None]
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
