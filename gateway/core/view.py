"""What one kind of client sees of a channel: its rights and role, and the filter of its subscription.

What a filter excludes is treated like what rights hide: an item that moves out of sight is shown as deleted, one that moves
into sight as created. This is the one place where that is decided, for live delivery, memory and the log. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.core.about import About, Abouts
from gateway.core.rights import Rights
from schemas.envelope import spliced

MAX_VERDICTS = 4_096
"""The kinds of events for which a view caches its verdict."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a client wants of a channel: names, None: any."""

    roots: frozenset[str] | None = None
    media_types: frozenset[str] | None = None
    actions: frozenset[str] | None = None


class Verdict(Enum):
    """How an event is shown."""

    WHOLE = auto()
    GONE = auto()
    """Shown as a deletion: the item moved to where it may not be seen."""
    NEW = auto()
    """Shown as a creation: the item was moved from where it could not be seen."""
    HIDDEN = auto()
    PERSONAL = auto()
    """For one account only."""


class View:
    """Equal views are one object (`view_of`), so that clients with the same view share what is made for it."""

    __slots__ = ("_verdicts", "everything", "filter", "rights", "role_id")

    def __init__(self, rights: Rights, role_id: int, wanted: Filter | None) -> None:
        self.rights = rights
        self.role_id = role_id
        self.filter = wanted
        self.everything = rights.all_roots and wanted is None
        """True if nothing is hidden except what is for others."""
        self._verdicts: dict[About, Verdict] = {}

    def verdict(self, about: About | None) -> Verdict:
        """How an event is shown."""
        if about is None:
            return Verdict.WHOLE
        verdict = self._verdicts.get(about)
        if verdict is None:
            if len(self._verdicts) >= MAX_VERDICTS:
                self._verdicts.clear()
            verdict = self._verdicts[about] = self._judge(about)
        return verdict

    def shown(self, payloads: Sequence[bytes], abouts: Abouts, user_id: int) -> list[bytes]:
        """What account `user_id` gets of these; 0: no account."""
        shown = []
        for payload, about in zip(payloads, abouts, strict=True):
            match self.verdict(about):
                case Verdict.WHOLE:
                    shown.append(payload)
                case Verdict.GONE:
                    shown.append(as_gone(payload))
                case Verdict.NEW:
                    shown.append(as_new(payload))
                case Verdict.PERSONAL if about is not None and about.to is not None:
                    if about.to.name == str(user_id):
                        shown.append(payload)
                case _:
                    pass
        return shown

    def shows(self, about: About | None, user_id: int) -> bool:
        """Whether account `user_id` gets anything of an event."""
        match self.verdict(about):
            case Verdict.HIDDEN:
                return False
            case Verdict.PERSONAL:
                return about is not None and about.to is not None and about.to.name == str(user_id)
            case _:
                return True

    def _judge(self, about: About) -> Verdict:
        if about.to is not None:
            match about.to.kind:
                case "user":
                    return Verdict.PERSONAL
                case "role":
                    return Verdict.WHOLE if about.to.name == str(self.role_id) else Verdict.HIDDEN
                case "library":
                    return Verdict.WHOLE if self.rights.sees_library(about.to.name) else Verdict.HIDDEN
        verdict = self._by_place(about)
        action = {Verdict.GONE: "deleted", Verdict.NEW: "created"}.get(verdict, about.action)
        return verdict if verdict is Verdict.HIDDEN or self._wants(action, about.media_type) else Verdict.HIDDEN

    def _by_place(self, about: About) -> Verdict:
        here = self._sees(about.library, about.root)
        if about.was_root is None:
            return Verdict.WHOLE if here else Verdict.HIDDEN
        there = self._sees(about.library, about.was_root)
        if here:
            return Verdict.WHOLE if there else Verdict.NEW
        return Verdict.GONE if there else Verdict.HIDDEN

    def _sees(self, library: str, root: str | None) -> bool:
        roots = None if self.filter is None else self.filter.roots
        if root is None:
            return roots is None and self.rights.sees_library(library)
        return (roots is None or root in roots) and self.rights.sees(library, root)

    def _wants(self, action: str | None, media_type: str | None) -> bool:
        wanted = self.filter
        return wanted is None or (
            (wanted.actions is None or action in wanted.actions)
            and (wanted.media_types is None or media_type in wanted.media_types)
        )


@lru_cache(4_096)
def view_of(rights: Rights, role_id: int, wanted: Filter | None) -> View:
    """The view for these arguments."""
    return View(rights, role_id, wanted)


class _Frame(Struct, frozen=True):
    """An event frame as `schemas.envelope` writes it, member by member."""

    type: str
    data: Raw
    timestamp: Raw
    channel: str
    partition: int
    offset: int
    id: Raw
    payload: Raw | UnsetType = UNSET


class _Update(Struct, frozen=True):
    media_id: int
    media: Raw
    was: Raw


_frame = msgspec.json.Decoder(_Frame).decode
_update = msgspec.json.Decoder(_Update).decode


@lru_cache(256)
def as_gone(payload: bytes) -> bytes:
    """The frame of an item's update as that of its deletion from its old place."""
    update = _update(_frame(payload).data)
    data = b'{"action":"deleted","media_id":%d,"media":%b}' % (update.media_id, bytes(update.was))
    return _with_data(payload, data)


@lru_cache(256)
def as_new(payload: bytes) -> bytes:
    """The frame of an item's update as that of its creation, without its old place."""
    update = _update(_frame(payload).data)
    data = b'{"action":"created","media_id":%d,"media":%b}' % (update.media_id, bytes(update.media))
    return _with_data(payload, data)


def _with_data(payload: bytes, data: bytes) -> bytes:
    """As `schemas.envelope.EventFrames` would have built it from this data."""
    frame = _frame(payload)
    return spliced(
        frame.type,
        data,
        timestamp=frame.timestamp,
        channel=frame.channel,
        partition=frame.partition,
        offset=frame.offset,
        id=frame.id,
        legacy_payload=frame.payload is not UNSET,
    )
