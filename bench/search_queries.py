"""Queries for `bench.search`, seeded: what people type, and what an attacker could type."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

PUNCTUATION = "%_\\'\"()[]{}*?.,;:!-+/&|<>=~^`$#@"
STRANGE = (
    "\0", "%", "_", "%%%%", "\\", "'", "''; DROP TABLE media_items; --", "…", "–", "(", "/", ".", "-", "&", "a", "e", "the",
    "a b c d e f", "the the the", "and or not", "th", "qx", "0", "00", "1", "\u200b", "\u202e", "e\u0301\u0301\u0301",
    "\ufdfa" * 80, "ﷺ", "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0e01\u0e33", "東", "東京", "の", "한",
    "ประเทศไทย", "مكتبة", "שלום", "Ѐ", "\ufffd", "\x7f", "\t", "\x01", "NULL", "nan", "\ud7ff",
)  # fmt: skip
"""Each by itself; the generator combines them into longer ones."""


def hostile(count: int, seed: int) -> Iterator[str]:
    """As many queries of at most 1,024 characters: alone, repeated, mixed, of one sort of characters, of many words."""
    chance = random.Random(seed)
    yield from STRANGE[:count]
    for _ in range(count - len(STRANGE)):
        yield _one(chance)[:1_024]


def _one(chance: random.Random) -> str:
    match chance.randrange(7):
        case 0:
            return "".join(chance.choices(PUNCTUATION, k=chance.choice((1, 2, 3, 50, 1_024))))
        case 1:
            return chance.choice(STRANGE) * chance.choice((1, 2, 7, 1_024))
        case 2:
            return " ".join(chance.choice(STRANGE) for _ in range(chance.choice((2, 5, 500))))
        case 3:
            return " ".join(_letters(chance, chance.randint(1, 2)) for _ in range(chance.choice((1, 20, 500))))
        case 4:
            return _letters(chance, chance.choice((1, 2, 3, 4, 24, 1_024)))
        case 5:
            first = chance.choice((0x400, 0x590, 0x620, 0xE01, 0x3041, 0x4E00, 0xAC00, 0x1F300, 0x300))
            return "".join(chr(first + chance.randrange(80)) for _ in range(chance.choice((1, 2, 9, 1_024))))
        case _:
            return "".join(
                chr(chance.choice((32, chance.randrange(1, 0xD7FF)))) for _ in range(chance.choice((3, 1_024)))
            )


def _letters(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("etaoinshrdlucmfwypvbgkqjxz", k=count))


def mistyped(word: str, chance: random.Random) -> str:
    """A word with one error; a long one with two."""
    for _ in range(1 if len(word) < 8 else 2):
        at = chance.randrange(1, len(word) - 1)
        match chance.randrange(4):
            case 0:
                word = word[:at] + word[at + 1 :]
            case 1:
                word = word[:at] + chance.choice("aeionrst") + word[at:]
            case 2:
                word = word[:at] + chance.choice("aeionrst") + word[at + 1 :]
            case _:
                word = word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    return word


def typed(titles: Sequence[str], count: int, seed: int) -> dict[str, list[str]]:
    """Queries as people type them, by kind, of existing titles."""
    chance = random.Random(seed)
    plain = [
        title
        for title in titles
        if title.isascii() and len(title.split()[-1]) > 4 and title.replace(" ", "").isalpha()
    ]
    other = [title for title in titles if not title.isascii()]
    chosen = [chance.choice(plain) for _ in range(count)]
    return {
        "one word": [chance.choice(title.split()) for title in chosen],
        "two words, any order": [
            " ".join(chance.sample(title.split(), min(2, len(title.split())))) for title in chosen
        ],
        "a whole title": chosen,
        "the last word half typed": [title[: -len(title.split()[-1]) // 2] for title in chosen],
        "a part of a word": [title.split()[-1][1:-1] for title in chosen],
        "one or two letters wrong": [mistyped(title.split()[-1].lower(), chance) for title in chosen],
        "another script": [
            title[: chance.randint(2, 4)] for title in chance.sample(other, min(count, len(other)))
        ],
        "what much has": chance.choices(
            ("the", "bluray", "flac", "season", "img", "x264", "2019", "mkv", "a", "1"), k=count
        ),
    }
