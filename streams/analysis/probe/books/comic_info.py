"""The metadata of a comic in ComicInfo.xml: the Anansi project's schema 2.1 (github.com/anansi-project/comicinfo).

Its series is also the album, its number the track, its volume the disc: a comic is named by these. This module knows
nothing of the archive."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.found import Credit, Tags
from streams.analysis.probe.books import words, xml
from streams.analysis.probe.text import clean, language, leading_number, year

_CREDITS = {
    "Writer": "author", "Penciller": "penciller", "Inker": "inker", "Colorist": "colorist", "Letterer": "letterer",
    "CoverArtist": "cover artist", "Editor": "editor", "Translator": "translator",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Info:
    """`front`: which page is the cover, counted from 0; `wrong`: why the rest is missing."""

    tags: Tags | None = None
    credits: tuple[Credit, ...] = ()
    front: int = 0
    wrong: str | None = None


def read(data: bytes) -> Info:
    """Parse the file; what came before an error is used."""
    parsed = xml.parsed([data])
    fields = {xml.local(element.tag): element.text for element in (() if parsed.root is None else parsed.root)}
    tags = _tags(fields)
    people = [(person, role) for key, role in _CREDITS.items() for person in _people(fields.get(key))]
    fronts = (page.get("Image") for page in xml.each(parsed.root, "Page") if page.get("Type") == "FrontCover")
    return Info(
        None if tags == Tags() else tags,
        words.credits_of(people),
        leading_number(next(fronts, None)) or 0,
        parsed.wrong,
    )


def _tags(fields: dict[str, str | None]) -> Tags:
    return Tags(
        title=clean(fields.get("Title")),
        artist=words.joined(_people(fields.get("Writer"))),
        album=clean(fields.get("Series")),
        track=leading_number(fields.get("Number")),
        disc=leading_number(fields.get("Volume")),
        tracks=leading_number(fields.get("Count")),
        genre=_genre(fields),
        date=_date(fields),
        series=clean(fields.get("Series")),
        number=words.ordinal(fields.get("Number")),
        language=language(fields.get("LanguageISO")),
        publisher=words.name(fields.get("Publisher")),
        description=words.prose(fields.get("Summary")),
    )


def _people(text: str | None) -> list[str | None]:
    return [words.name(part) for part in (clean(text) or "").split(",")]


def _genre(fields: dict[str, str | None]) -> str | None:
    """The genre; `Manga` has the value `Yes` or `YesAndRightToLeft`."""
    manga = "Manga" if (fields.get("Manga") or "").strip().startswith("Yes") else None
    return words.joined([*(_people(fields.get("Genre"))), manga], words.MAX_GENRES)


def _date(fields: dict[str, str | None]) -> str | None:
    """The date as far as it is known: year, month, day."""
    known = year(fields.get("Year"))
    if known is None:
        return None
    month, day = leading_number(fields.get("Month")), leading_number(fields.get("Day"))
    if month is None or month > 12:
        return f"{known}"
    return f"{known}-{month:02}" if day is None or day > 31 else f"{known}-{month:02}-{day:02}"
