"""Text and numbers of files in the form of a record: bounded, printable, encodable; absent when useless."""

from __future__ import annotations

import re

MAX_TEXT = 300
MAX_LANGUAGE = 35
"""The length that a BCP 47 tag may need (RFC 5646, 4.4.1)."""
MAX_NUMBER = 2**53 - 1
_YEAR = re.compile(r"(?<![0-9])(1[6-9][0-9]{2}|20[0-9]{2}|2100)(?![0-9])")
_NUMBER = re.compile(r"\s*([0-9]{1,6})")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def clean(text: object) -> str | None:
    """A line of text: one value of several, no control characters, no lone surrogates, at most MAX_TEXT
    characters; None when nothing is left."""
    if isinstance(text, (list, tuple)):
        text = text[0] if text else None
    if text is None:
        return None
    whole = str(text)[: 4 * MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
    printable = "".join(c if c.isprintable() else " " for c in whole)
    return " ".join(printable.split())[:MAX_TEXT].strip() or None


def sentence(text: str) -> str:
    """A reason: clean, never empty."""
    return clean(text) or "no reason was given"


def number(value: object) -> int | None:
    """A positive whole number that every JSON parser represents exactly; None for anything else."""
    if not isinstance(value, (int, float)) or not 0 < value <= MAX_NUMBER:
        return None
    return int(value)


def leading_number(text: object) -> int | None:
    """The number at the beginning of `3/12` or `03`."""
    found = _NUMBER.match(clean(text) or "")
    return number(int(found[1])) if found else None


def year(text: object) -> int | None:
    """The year in a date."""
    found = _YEAR.search(clean(text) or "")
    return int(found[1]) if found else None


def language(text: object) -> str | None:
    """A language tag (ISO 639 or BCP 47), lower case; None for `und` and for invalid tags."""
    tag = clean(text)
    if (
        tag is None
        or len(tag) > MAX_LANGUAGE
        or _LANGUAGE.fullmatch(tag) is None
        or tag.lower() in ("und", "mis", "zxx", "mul")
    ):
        return None
    return tag.lower()


def distinct(values: list[str | None]) -> tuple[str, ...]:
    """Each once, in order, at most 50."""
    return tuple(dict.fromkeys(value for value in values if value is not None))[:50]
