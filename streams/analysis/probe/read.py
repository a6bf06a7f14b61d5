"""What a reader returns, and what it raises."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.found import Found
from streams.analysis.wire import Picture
from streams.errors import StreamsError


class Damaged(StreamsError):
    """The file does not match its name, is damaged, or needs too many resources; `reason`: one short sentence."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Read:
    """What was found, and a thumbnail where there is one."""

    found: Found
    picture: Picture | None = None
