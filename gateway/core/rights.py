"""What somebody may see: channels, and storage roots by their names or by the libraries that they belong to. Pure.

One rule for everything that shows anything: live delivery, replay, history, search, covers, scans. An administrator has
rights like everybody: `EVERYTHING`, unless somebody says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ALL = "*"
"""In the place of a name: all of them, those to come too."""

MAX_NAMES = 64
"""Of each kind: rights stand in tokens, and a token has 4 KiB."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Names, or `ALL`. A root is seen when it is named or its library is."""

    channels: frozenset[str] = frozenset({ALL})
    libraries: frozenset[str] = frozenset()
    roots: frozenset[str] = frozenset({ALL})

    @classmethod
    def of(cls, channels: Iterable[str], libraries: Iterable[str], roots: Iterable[str]) -> Rights:
        """From lists, as tables and tokens have them."""
        return cls(frozenset(channels), frozenset(libraries), frozenset(roots))

    def names(self) -> dict[str, list[str]]:
        """As tables, tokens and people's programs have them: in order, under the names of the claims."""
        return {
            "channels": sorted(self.channels), "libraries": sorted(self.libraries), "storage_roots": sorted(self.roots),
        }  # fmt: skip

    @property
    def all_roots(self) -> bool:
        """True when every root is seen."""
        return ALL in self.roots or ALL in self.libraries

    def may_follow(self, channel: str) -> bool:
        """Whether a channel's events are shown at all."""
        return ALL in self.channels or channel in self.channels

    def sees(self, library: str, root: str) -> bool:
        """Whether what is in a root is shown."""
        return self.all_roots or root in self.roots or library in self.libraries

    def sees_library(self, library: str) -> bool:
        """Whether what is said of a library as a whole is shown."""
        return self.all_roots or library in self.libraries


EVERYTHING = Rights()
