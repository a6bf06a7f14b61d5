"""What an event is about, as far as that decides who gets it; read from the record once, and shared by all that are alike.

There are few different ones (roots by actions by media types), so what a view thinks of one is remembered (`core.view`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

AddresseeKind = Literal["role", "user", "library"]


class Addressee(NamedTuple):
    """Whom a notification is for. `name`: a role's or account's id as decimal digits, or a library's name."""

    kind: AddresseeKind
    name: str

    def text(self) -> str:
        """As it stands in the record's header `x-to`."""
        return f"{self.kind}:{self.name}"


class About(NamedTuple):
    """`library` and `root`: where the item, the root, the analysis is; a library alone: it is about all of it; an empty name
    is that of the whole installation. `was_root`: an item came from there · `to`: it is for some people alone."""

    library: str = ""
    root: str | None = None
    was_root: str | None = None
    media_type: str | None = None
    action: str | None = None
    to: Addressee | None = None


Framed = tuple[int, int, bytes, About | None]
"""An event in the order of its partition: offset, append time in ms (0: it is no record's, and due at any time), payload,
and what it is about; None: it is for everybody who follows the channel."""

Abouts = Sequence[About | None]


def addressee(text: str) -> Addressee | None:
    """Read a header `x-to`; None where it is none of ours."""
    kind, _, name = text.partition(":")
    match kind:
        case "role" | "user" | "library" if name:
            return Addressee(kind, name)
        case _:
            return None
