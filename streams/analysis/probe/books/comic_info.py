"""What ComicInfo.xml says of a comic: the Anansi project's schema 2.1 (github.com/anansi-project/comicinfo).

Its series is the album too, its number the track, its volume the disc: a comic is called by these. Knows nothing of
the archive."""

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
    """`front`: which page is the cover, counted from 0; `wrong`: why there is no more of it."""

    tags: Tags | None = None
    credits: tuple[Credit, ...] = ()
    front: int = 0
    wrong: str | None = None


def read(data: bytes) -> Info:
    """Its text as a whole; what stood before an error counts."""
    parsed = xml.parsed([data])
    said = {xml.local(element.tag): element.text for element in (() if parsed.root is None else parsed.root)}
    tags = _tags(said)
    people = [(who, does) for key, does in _CREDITS.items() for who in _people(said.get(key))]
    fronts = (page.get("Image") for page in xml.each(parsed.root, "Page") if page.get("Type") == "FrontCover")
    return Info(
        None if tags == Tags() else tags,
        words.credits_of(people),
        leading_number(next(fronts, None)) or 0,
        parsed.wrong,
    )


def _tags(said: dict[str, str | None]) -> Tags:
    return Tags(
        title=clean(said.get("Title")),
        artist=words.joined(_people(said.get("Writer"))),
        album=clean(said.get("Series")),
        track=leading_number(said.get("Number")),
        disc=leading_number(said.get("Volume")),
        tracks=leading_number(said.get("Count")),
        genre=_genre(said),
        date=_date(said),
        series=clean(said.get("Series")),
        number=words.ordinal(said.get("Number")),
        language=language(said.get("LanguageISO")),
        publisher=words.name(said.get("Publisher")),
        description=words.prose(said.get("Summary")),
    )


def _people(text: str | None) -> list[str | None]:
    return [words.name(part) for part in (clean(text) or "").split(",")]


def _genre(said: dict[str, str | None]) -> str | None:
    """`Manga` says of itself `Yes` or `YesAndRightToLeft`."""
    manga = "Manga" if (said.get("Manga") or "").strip().startswith("Yes") else None
    return words.joined([*(_people(said.get("Genre"))), manga], words.MAX_GENRES)


def _date(said: dict[str, str | None]) -> str | None:
    """As far as it is known: year, month, day."""
    known = year(said.get("Year"))
    if known is None:
        return None
    month, day = leading_number(said.get("Month")), leading_number(said.get("Day"))
    if month is None or month > 12:
        return f"{known}"
    return f"{known}-{month:02}" if day is None or day > 31 else f"{known}-{month:02}-{day:02}"
