"""Metadata of books in the form of a record: names and roles, dates, series, prose; junk is left out."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from schemas.found import Credit
from streams.analysis.probe.text import clean, distinct, year

MAX_NAME = 120
MAX_CREDITS = 20
MAX_PROSE = 2_000
MAX_GENRES = 5
"""Together well below the maximum size of a result (64 KiB), at four bytes per character."""

ROLES = {
    "aut": "author", "trl": "translator", "edt": "editor", "ill": "illustrator", "nrt": "narrator", "art": "artist",
    "aui": "author of the introduction", "aft": "author of the afterword", "cov": "cover artist", "clr": "colorist",
    "pht": "photographer", "com": "compiler", "ctb": "contributor", "adp": "adapter", "ann": "annotator",
    "bkd": "designer", "dsr": "designer", "cmp": "composer", "cwt": "commentator", "ink": "inker", "lyr": "lyricist",
    "pfr": "proofreader", "red": "editor", "aud": "author", "cre": "author",
}  # fmt: skip
"""MARC relator codes (id.loc.gov/vocabulary/relators), which EPUB's OPF uses."""
MAKERS = frozenset({"bkp", "mrk", "pbl", "dst", "mfr"})
"""Names of programs and shops that made or sold the file: `calibre (7.1) [https://calibre-ebook.com]` is not an
author."""

_TAG = re.compile(r"<[^<>]{0,1000}>")
_HIDDEN = re.compile(r"<(script|style)\b[^<>]{0,500}>[^<]*</\1\s*>", re.IGNORECASE)
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(?![0-9-])")
_WHOLE = re.compile(r"([0-9]{1,9})\.0+")
_JUNK = re.compile(
    r"(?:microsoft (?:office )?(?:word|powerpoint|excel|publisher|visio) - .*)"
    r"|(?:[(\[]?(?:untitled|unspecified|unknown|unnamed|no title|title|none|null|document|dokument|unbenannt|ohne titel|"
    r"sans titre|sin t[ií]tulo|new document|slide|powerpoint presentation|print|layout)[)\]]?(?:[ _-]?[0-9]{1,6})?)"
    r"|(?:.*\.(?:docx?|docm|dot|pdf|rtf|odt|indd|qx[dp]|tex|dvi|e?ps|p65|pmd|fm|txt|x?html?|pptx?|xlsx?|wp[ds]?|epub|"
    r"mobi|azw3?|jpe?g|png|tiff?|cdr|pages))"
    r"|(?:file:.*)|(?:[a-z]:\\.*)",
    re.IGNORECASE,
)
_NOBODY = frozenset(
    {"unknown", "user", "admin", "administrator", "owner", "unknown author", "unbekannt", "n/a", "none"}
)


def prose(text: object) -> str | None:
    """A description without HTML, as a line of at most MAX_PROSE characters; None when nothing is left."""
    if text is None:
        return None
    bounded = str(text)[: 8 * MAX_PROSE]
    plain = html.unescape(_TAG.sub(" ", _HIDDEN.sub(" ", bounded)))
    encodable = plain.encode("utf-8", "replace").decode("utf-8")
    printable = "".join(c if c.isprintable() else " " for c in encodable)
    return " ".join(printable.split())[:MAX_PROSE].strip() or None


def name(text: object) -> str | None:
    """A person's or a publisher's name; None for placeholders."""
    cleaned = clean(text)
    return None if cleaned is None or cleaned.casefold() in _NOBODY else cleaned[:MAX_NAME].strip()


def split_names(text: object) -> list[str | None]:
    """Split `A. Writer; B. Writer`: a comma may be part of a name, a semicolon may not."""
    return [name(part) for part in (clean(text) or "").split(";")]


def joined(names: Iterable[str | None], most: int = MAX_CREDITS) -> str | None:
    """The names, each once, in order, as one line."""
    return clean(", ".join(distinct(list(names))[:most]))


def role(code: str | None) -> str | None:
    """The role of a MARC code, or of the word itself; None if it is not known."""
    small = (code or "").strip().casefold()
    return ROLES.get(small) or (small if small in ROLES.values() else None)


def credits_of(people: Iterable[tuple[str | None, str | None]]) -> tuple[Credit, ...]:
    """Names with their roles, each pair once, in order."""
    found = dict.fromkeys((person, role) for person, role in people if person is not None)
    return tuple(Credit(person, role) for person, role in found)[:MAX_CREDITS]


def title(text: object) -> str | None:
    """A title; None for what programs write if there is none: `Microsoft Word - x.doc`, a file's name."""
    cleaned = clean(text)
    return None if cleaned is None or _JUNK.fullmatch(cleaned) else cleaned


def day(text: object) -> str | None:
    """A date: of an ISO 8601 time the day; any other text with a year as written; None without a year."""
    cleaned = clean(text)
    if cleaned is None or year(cleaned) is None:
        return None
    found = _DAY.match(cleaned)
    return cleaned if found is None else "-".join(part for part in found.groups() if part)


def ordinal(text: object) -> str | None:
    """A number in a series, as written; `2.0` becomes `2`."""
    cleaned = clean(text)
    if cleaned is None:
        return None
    found = _WHOLE.fullmatch(cleaned)
    return found[1] if found else cleaned[:MAX_NAME]
