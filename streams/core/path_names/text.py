"""Cleaning of names: separators, brackets, tags of other programs, articles after a comma."""

from __future__ import annotations

import re
from datetime import date

_ACRONYM = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.){2,}(?![^\W_]{2})")
_TAG = re.compile(r"(?i)[{\[(]\s*(?:tmdb|tvdb|imdb|anidb|asin|isbn|edition)[a-z]*[-=: ]*[^}\])]*[}\])]")
_EDITION_TAG = re.compile(r"(?i)\{edition-([^}]+)\}")
_SPACES = re.compile(r"\s+")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_SITE = re.compile(
    r"(?i)^\s*(?:[\[(]\s*(?:www\.)?[^\])\s]+\.[a-z]{2,8}\s*[\])]|www\.[^\s-]+\.[a-z]{2,8})\s*-?\s*(?=\S)"
)
_COPY = re.compile(
    r"(?i)^(?:copy of|kopie von|copie de|copia de)\s+(?=\S)|\s+-\s+(?:copy|kopie|copie|copia)(?:\s*\([0-9]+\))?$"
)
_BRACKET = re.compile(r"[(\[{)\]}]")
_EMPTY = re.compile(r"[(\[{]\s*[)\]}]")
EDGES = " -–—_.,;~+"


def day_of(year: str | int, month: str | int, day: str | int) -> str | None:
    """YYYY-MM-DD, if the calendar has that day."""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def spaced(stem: str) -> str:
    """The text with spaces in place of underscores or dots; acronyms keep their dots."""
    text = stem.replace("_", " ")
    if " " not in text.strip():
        text = undotted(text)
    return _SPACES.sub(" ", text).strip()


def plain(stem: str) -> str:
    """The text without meaningless additions: a site's name in front, `Copy of`."""
    return _COPY.sub("", _SITE.sub("", stem))


def undotted(text: str) -> str:
    """The text with dots between words replaced by spaces, but not those of `S.W.A.T.` and `5.1`."""
    kept: list[str] = []
    end = 0
    for found in _ACRONYM.finditer(text):
        kept += [text[end : found.start()].replace(".", " "), found[0], " "]
        end = found.end()
    kept.append(text[end:].replace(".", " "))
    return "".join(kept)


def without_tags(text: str) -> tuple[str, str | None]:
    """The text without ids that other programs put there; and the edition, if such a tag contains it."""
    edition = _EDITION_TAG.search(text)
    return _TAG.sub(" ", text), None if edition is None else edition[1].strip()


def trimmed(text: str, edges: str = EDGES) -> str:
    """The text without what surrounds a title, without unbalanced brackets, and without empty ones."""
    if _BRACKET.search(text) is None:
        return " ".join(text.split()).strip(edges)
    before = ""
    while text != before:
        before = text
        text = _EMPTY.sub(" ", text)
        text = _SPACES.sub(" ", text).strip(edges)
        text = _balanced(text)
    return text


def _balanced(text: str) -> str:
    open_: list[int] = []
    wrong: set[int] = set()
    for at, sign in enumerate(text):
        if sign in "([{":
            open_.append(at)
        elif sign in _PAIRS:
            if open_ and text[open_[-1]] == _PAIRS[sign]:
                open_.pop()
            else:
                wrong.add(at)
    wrong.update(open_)
    return "".join(" " if at in wrong else sign for at, sign in enumerate(text)) if wrong else text


def with_article(title: str, articles: frozenset[str]) -> str:
    """`Matrix, The` → `The Matrix`."""
    head, comma, tail = title.rpartition(",")
    article = tail.strip()
    if comma and head and article.casefold() in articles:
        return f"{article}{'' if article.endswith(chr(39)) else ' '}{head.strip()}"
    return title


def alike(one: str, other: str) -> bool:
    """Whether two texts have the same letters and digits."""
    return bare(one) == bare(other) != ""


def bare(text: str) -> str:
    """Only the letters and digits, in lower case."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def better_cased(one: str, other: str) -> str:
    """Of two spellings of one title, the one with better case."""
    return max((one, other), key=lambda text: (text != text.lower() and text != text.upper(), text == one))
