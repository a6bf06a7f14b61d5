"""What a subtitle's name tells: its language."""

from __future__ import annotations

from typing import BinaryIO

from schemas.found import Found
from streams.analysis.probe.read import Read
from streams.analysis.probe.text import clean, language


def read_subtitle(_file: BinaryIO, path: str) -> Read:
    """A subtitle's language stands in its name: `Film.en.srt`, `Film.pt-BR.forced.srt`."""
    parts = path.rpartition("/")[2].split(".")[1:-1]
    for part in reversed(parts):
        if (tag := language(part)) is not None and len(part.split("-")[0]) <= 3:
            return Read(Found(category="subtitle", languages=(tag,), container=_extension(path)))
    return Read(Found(category="subtitle", container=_extension(path)))


def _extension(path: str) -> str | None:
    return clean(path.rpartition(".")[2].lower())
