"""What could not be read of a book that is otherwise readable: a few sentences for people, each once."""

from __future__ import annotations

from streams.analysis.probe.text import sentence

MAX_NOTES = 8
"""More notes are of no use, and a result has a maximum size."""


class Notes:
    """Collected while a file is read."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}

    def add(self, text: str) -> None:
        """Add a note, unless it is there already or there are enough."""
        if len(self._texts) < MAX_NOTES:
            self._texts[sentence(text)] = None

    @property
    def all(self) -> tuple[str, ...]:
        """In the order in which they came."""
        return tuple(self._texts)
