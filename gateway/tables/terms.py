"""A query as terms: words to find, signs if it has no word, and words that may have been meant instead. Pure.

Words come folded from `search_words`, the one place that knows letters, so queries and rows are read alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

MAX_WORDS = 16
"""More words do not narrow the result."""
MAX_LETTERS = 120
"""Of a word; ten characters of a script whose characters take three bytes."""
MAX_TOKENS = 64
MAX_SIGNS = 8
PART = 3
"""Minimum length of a word that is found inside others: trigrams need it."""
NEAR = 4
"""Minimum length of a word that may be mistyped; shorter ones have too many neighbours."""
NEAR_TWICE = 8
"""Minimum length of a word that may have two errors."""
MAX_NEAR_LETTERS = 24
MAX_NEAR = 4
"""Near words of one word."""
MAX_NEARED = 4
"""Words of a query that may be mistyped."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a query. `phrase`: all of it, folded. `signs`: of a query without words, the characters that an item's
    title and path must have."""

    phrase: str
    words: tuple[str, ...]
    signs: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """True if there is nothing that could be found."""
        return not self.words and not self.signs

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Words that may be mistyped."""
        fit = (w for w in self.words if NEAR <= len(w) <= MAX_NEAR_LETTERS and w.isalpha())
        return tuple(fit)[:MAX_NEARED]


NOTHING = Terms("", (), ())


def tokens(query: str) -> list[str]:
    """The query's pieces between spaces, without what a database cannot keep."""
    clean = query.replace("\0", " ").encode("utf-8", "replace").decode()
    return clean.split()[:MAX_TOKENS]


def terms_of(pieces: Sequence[str], folded: Sequence[str]) -> Terms:
    """`folded`: what `search_words` makes of each piece."""
    words = dict.fromkeys(word[:MAX_LETTERS] for text in folded for word in text.split())
    signs = () if words else tuple(dict.fromkeys("".join(pieces).lower()))[:MAX_SIGNS]
    phrase = " ".join(word for text in folded for word in text.split())
    # a word inside another one adds no condition
    needed = [w for w in words if len(w) < PART or not any(w != other and w in other for other in words)]
    return Terms(phrase[:100], tuple(needed[:MAX_WORDS]), signs)


def pattern(word: str) -> str:
    """The LIKE pattern: anywhere, or at the beginning of a word."""
    return f"%{word}%" if len(word) >= PART else f"% {word}%"


def one_edit(word: str) -> list[str]:
    """Every word with one letter more, less or replaced, or with two exchanged."""
    halves = [(word[:n], word[n:]) for n in range(len(word) + 1)]
    less = {a + b[1:] for a, b in halves if b}
    exchanged = {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    other = {a + letter + b[1:] for a, b in halves if b for letter in ascii_lowercase}
    more = {a + letter + b for a, b in halves for letter in ascii_lowercase}
    return sorted((less | exchanged | other | more) - {word})


def nearest(word: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """The candidates that are one error away, for long words two; the nearest first."""
    most = 2 if len(word) >= NEAR_TWICE else 1
    found = sorted((d, c) for c in set(candidates) if word not in c and (d := distance(word, c)) <= most)
    return tuple(candidate for _, candidate in found[:MAX_NEAR])


def distance(a: str, b: str) -> int:
    """Errors between two words (optimal string alignment: a letter more, less, other, or two exchanged)."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]
