"""What an event is about, as far as that decides who receives it; read from the record once, and shared by equal ones.

There are few different ones (roots by actions by media types), so a view caches its verdict on each (`core.view`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

AddresseeKind = Literal["role", "user", "library"]


class Addressee(NamedTuple):
    """Whom a notification is for. `name`: a role's or account's id as decimal digits, or a library's name."""

    kind: AddresseeKind
    name: str

    def text(self) -> str:
        """As the record's header `x-to` has it."""
        return f"{self.kind}:{self.name}"


class About(NamedTuple):
    """`library` and `root`: where the item, the root or the analysis belongs; `library` alone: the event is about the whole
    library; an empty name means the whole installation. `was_root`: the root that an item was moved from · `to`: the
    addressee, if the event is not for everybody."""

    library: str = ""
    root: str | None = None
    was_root: str | None = None
    media_type: str | None = None
    action: str | None = None
    to: Addressee | None = None


Framed = tuple[int, int, bytes, About | None]
"""An event in the order of its partition: offset, append time in ms (0: it is not a record's, and due at any time), payload,
and what it is about; None: it is for everybody who follows the channel."""

FramedColumns = tuple[list[int], list[int], list[bytes], list[About | None]]
"""Several of them, column by column."""

Abouts = Sequence[About | None]


def columns(framed: Iterable[Framed]) -> FramedColumns:
    """Events column by column."""
    made: FramedColumns = ([], [], [], [])
    for offset, at, payload, about in framed:
        made[0].append(offset)
        made[1].append(at)
        made[2].append(payload)
        made[3].append(about)
    return made


def addressee(text: str) -> Addressee | None:
    """Parse a header `x-to`; None if it is not in our format."""
    kind, _, name = text.partition(":")
    match kind:
        case "role" | "user" | "library" if name:
            return Addressee(kind, name)
        case _:
            return None
