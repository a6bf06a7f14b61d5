"""What a caller may see: channels, and storage roots by their names or by the libraries that they belong to. Pure.

One rule for everything that shows data: live delivery, replay, history, search, covers, scans. Administrators have rights
like everybody: `EVERYTHING`, unless set otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ALL = "*"
"""In the place of a name: all of them, future ones included."""

MAX_NAMES = 64
"""Of each kind: rights are stored in tokens, and a token has at most 4 KiB."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Names, or `ALL`. A root is visible if it is named or its library is."""

    channels: frozenset[str] = frozenset({ALL})
    libraries: frozenset[str] = frozenset()
    roots: frozenset[str] = frozenset({ALL})

    @classmethod
    def of(cls, channels: Iterable[str], libraries: Iterable[str], roots: Iterable[str]) -> Rights:
        """From lists, as stored in tables and tokens."""
        return cls(frozenset(channels), frozenset(libraries), frozenset(roots))

    def names(self) -> dict[str, list[str]]:
        """As in tables, tokens and the API: sorted, under the names of the claims."""
        return {
            "channels": sorted(self.channels), "libraries": sorted(self.libraries), "storage_roots": sorted(self.roots),
        }  # fmt: skip

    @property
    def all_roots(self) -> bool:
        """True if every root is visible."""
        return ALL in self.roots or ALL in self.libraries

    def may_follow(self, channel: str) -> bool:
        """Whether a channel's events are shown at all."""
        return ALL in self.channels or channel in self.channels

    def sees(self, library: str, root: str) -> bool:
        """Whether the contents of a root are shown."""
        return self.all_roots or root in self.roots or library in self.libraries

    def sees_library(self, library: str) -> bool:
        """Whether events about a library as a whole are shown."""
        return self.all_roots or library in self.libraries


EVERYTHING = Rights()
