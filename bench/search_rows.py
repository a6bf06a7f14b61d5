"""Rows of a large catalogue for `bench.search`: seeded, with names as people give them, in the proportions of a household.

Words consist of syllables, with frequencies as in a language (Zipf's law in Mandelbrot's form, and as many words as a
million names have); titles, artists and folders are made of them, so words repeat as they do in real libraries. One title in
twenty is in another script.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from zlib import crc32

COLUMNS = (
    "id", "library", "storage_root", "path", "title", "media_type", "category", "year", "quality", "rating",
    "file_size", "created_at", "updated_at", "item", "artist", "album", "author", "series", "date", "belongs_to",
    "src_partition", "src_offset",
)  # fmt: skip
WORDS = 120_000
ROOTS = ("movies", "series", "music", "photos", "books", "archive")
CAMERAS = ("NIKON D750", "Canon EOS R6", "iPhone 15 Pro", "Pixel 8", "DSC-RX100M7", "X-T5")
GENRES = ("Rock", "Jazz", "Electronic", "Classical", "Folk", "Hip-Hop", "Metal", "Soundtrack")
LANGUAGES = ("en", "de", "fr", "ja", "es", "pl", "uk")
_STARTS = (
    "b", "br", "c", "ch", "cl", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "pr", "r", "s", "sh",
    "st", "t", "th", "tr", "v", "w", "z",
)  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u", "ea", "ai", "ou", "y")
_ENDS = ("", "", "n", "r", "l", "s", "t", "ck", "nd", "rk", "m", "sh", "st", "x")
_OTHERS = (
    (0x430, 0x44F, 4, 9),  # Cyrillic
    (0x4E00, 0x5FFF, 2, 5),  # Han
    (0x3042, 0x3093, 3, 7),  # Hiragana
    (0xE01, 0xE2E, 5, 14),  # Thai, without spaces
    (0x627, 0x64A, 3, 8),  # Arabic
    (0xAC00, 0xD7A3, 2, 5),  # Hangul
)


@dataclass(frozen=True, slots=True)
class Names:
    """Words of one seed with their frequencies."""

    chance: random.Random
    words: tuple[str, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, seed: int) -> Names:
        """The words of a seed."""
        chance = random.Random(seed)
        found: dict[str, None] = {}
        while len(found) < WORDS:
            syllables = chance.choices((1, 2, 3, 4), (2, 5, 4, 1))[0]
            found["".join(_syllable(chance) for _ in range(syllables))] = None
        return cls(chance, tuple(found), tuple(accumulate(1 / (rank + 2.7) for rank in range(WORDS))))

    def phrase(self, least: int, most: int) -> str:
        """A title: words, each with a capital, now and then in another script."""
        if self.chance.random() < 0.05:
            return self._other()
        count = self.chance.randint(least, most)
        words = self.chance.choices(self.words, cum_weights=self.weights, k=count)
        if self.chance.random() < 0.3:
            words[0] = "the"
        return " ".join(word.capitalize() for word in words)

    def _other(self) -> str:
        first, last, least, most = self.chance.choice(_OTHERS)
        letters = range(self.chance.randint(least, most))
        return "".join(chr(self.chance.randint(first, last)) for _ in letters).capitalize()


def rows(count: int, seed: int = 7) -> Iterator[tuple[Any, ...]]:
    """As many rows, in the order of `COLUMNS`."""
    names = Names.of(seed)
    people = [names.phrase(2, 2) for _ in range(max(50, count // 100))]
    shows = [names.phrase(1, 4) for _ in range(max(20, count // 400))]
    kinds = (_film, _episode, _song, _photo, _book)
    weights = tuple(accumulate((9, 26, 37, 22, 6)))
    for number in range(count):
        make = names.chance.choices(kinds, cum_weights=weights)[0]
        yield _row(number, names, make(names, people, shows, number))


def _syllable(chance: random.Random) -> str:
    return chance.choice(_STARTS) + chance.choice(_VOWELS) + chance.choice(_ENDS)


def _film(names: Names, people: list[str], shows: list[str], number: int) -> dict[str, Any]:
    title, year = names.phrase(1, 5), names.chance.randint(1930, 2026)
    quality = names.chance.choice(("720p", "1080p", "1080p", "2160p"))
    return {
        "title": title, "media_type": "video", "category": "movie", "year": year, "quality": quality,
        "rating": round(names.chance.uniform(3, 9), 1), "duration": names.chance.randint(4_000, 11_000),
        "path": f"{title} ({year})/{title}.{year}.{quality}.BluRay.x264-{names.chance.choice(names.words).upper()}.mkv",
        "found": _video(names, quality), "storage_root": "movies",
    }  # fmt: skip


def _episode(names: Names, people: list[str], shows: list[str], number: int) -> dict[str, Any]:
    show, season, episode = names.chance.choice(shows), names.chance.randint(1, 9), names.chance.randint(1, 24)
    quality = names.chance.choice(("480p", "720p", "1080p"))
    return {
        "title": f"{show} S{season:02d}E{episode:02d}", "media_type": "video", "category": "tv_show",
        "season": season, "episode": episode, "quality": quality, "duration": names.chance.randint(1_200, 3_600),
        "path": f"{show}/Season {season}/{show} - S{season:02d}E{episode:02d} - {names.phrase(1, 4)}.mkv",
        "found": _video(names, quality), "storage_root": "series",
    }  # fmt: skip


def _song(names: Names, people: list[str], shows: list[str], number: int) -> dict[str, Any]:
    artist, title = names.chance.choice(people), names.phrase(1, 5)
    album, year = shows[crc32(f"{artist} {number % 3}".encode()) % len(shows)], names.chance.randint(1955, 2026)
    tags = {"title": title, "artist": artist, "album": album, "genre": names.chance.choice(GENRES)}
    return {
        "title": title, "media_type": "audio", "category": "music", "year": year, "artist": artist, "album": album,
        "duration": names.chance.randint(90, 600), "storage_root": names.chance.choice(("music", "archive")),
        "path": f"{artist}/{year} - {album}/{names.chance.randint(1, 20):02d} {title}.flac",
        "found": {"container": "flac", "audio_codec": "flac", "channels": 2, "bit_rate": 900_000, "tags": tags},
    }  # fmt: skip


def _photo(names: Names, people: list[str], shows: list[str], number: int) -> dict[str, Any]:
    chance = names.chance
    date = f"{chance.randint(2004, 2026)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
    name = f"IMG_{date.replace('-', '')}_{number:06d}"
    return {
        "title": name, "media_type": "image", "category": "photo", "date": date, "storage_root": "photos",
        "path": f"{date[:4]}/{date} {names.phrase(1, 3)}/{name}.jpg",
        "found": {"width": 6_000, "height": 4_000, "camera": chance.choice(CAMERAS), "taken": f"{date}T10:00:00"},
    }  # fmt: skip


def _book(names: Names, people: list[str], shows: list[str], number: int) -> dict[str, Any]:
    author, title = names.chance.choice(people), names.phrase(1, 6)
    series = names.chance.choice(shows) if names.chance.random() < 0.4 else None
    return {
        "title": title, "media_type": "book", "category": "book", "author": author, "series": series,
        "year": names.chance.randint(1850, 2026), "path": f"{author}/{series or title}/{title} - {author}.epub",
        "found": {"pages": names.chance.randint(80, 900), "languages": [names.chance.choice(LANGUAGES)]},
        "storage_root": "books",
    }  # fmt: skip


def _video(names: Names, quality: str) -> dict[str, Any]:
    height = int(quality[:-1])
    languages = names.chance.sample(LANGUAGES, names.chance.randint(1, 3))
    return {
        "container": "matroska", "video_codec": names.chance.choice(("h264", "h264", "hevc", "av1")),
        "audio_codec": names.chance.choice(("aac", "ac3", "dts")), "width": height * 16 // 9, "height": height,
        "bit_rate": names.chance.randint(1_000_000, 40_000_000), "channels": names.chance.choice((2, 6)),
        "languages": languages, "audio_tracks": [{"codec": "aac", "language": name} for name in languages],
        "subtitles": ["en"], "frame_rate": 23.976,
    }  # fmt: skip


def _row(number: int, names: Names, made: dict[str, Any]) -> tuple[Any, ...]:
    chance = names.chance
    found, duration = made.pop("found"), made.get("duration")
    if duration is not None:
        found["duration_ms"] = duration * 1000
    minute = number if chance.random() < 0.9 else chance.randint(0, number)
    at = f"{2020 + minute // 180_000}-{1 + minute // 15_000 % 12:02d}-{1 + minute // 540 % 28:02d}"
    at += f"T{minute // 23 % 24:02d}:{minute % 60:02d}:{minute % 59:02d}.{number % 1000:03d}Z"
    item = {
        "id": (number + 1) * 1024, **made, "file_size": chance.randint(1_000, 40_000_000_000), "library": "home",
        "directory_path": f"/{made['storage_root']}/{made['path'].rpartition('/')[0]}", "created_at": at,
        "updated_at": at, "fingerprint": f"{number:032x}",
        "analysis": {"status": "done", "at": at, "found": found},
    }  # fmt: skip
    row = {**item, "item": json.dumps(item, ensure_ascii=False), "src_partition": 0, "src_offset": number}
    row["belongs_to"] = None
    return tuple(row.get(column) for column in COLUMNS)
