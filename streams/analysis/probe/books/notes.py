"""What could not be read of a book that is read all the same: few sentences, each once, in words that a person
understands."""

from __future__ import annotations

from streams.analysis.probe.text import sentence

MAX_NOTES = 8
"""More help nobody, and a result has its cap in bytes."""


class Notes:
    """Collected while a file is read."""

    def __init__(self) -> None:
        self._said: dict[str, None] = {}

    def add(self, text: str) -> None:
        """One more, unless it stands there already or there are enough."""
        if len(self._said) < MAX_NOTES:
            self._said[sentence(text)] = None

    @property
    def all(self) -> tuple[str, ...]:
        """In the order in which they came."""
        return tuple(self._said)
