"""What a record of a channel's topic is about (`core.about`), by its key, its header `x-to` and its value."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from gateway.core.about import About, addressee
from schemas.headers import X_TO, find
from schemas.log_record import StoredRecord
from schemas.media import Action, AnalysisComplete, MediaUpdateWire
from schemas.system import Notification, SystemUpdate

MAX_KNOWN = 4_096
INSTALLATION = About()
"""About the whole installation: for accounts that see all of it."""


class _Item(Struct, frozen=True):
    """The members of an item that decide who sees it, text or not."""

    storage_root: object = None
    media_type: object = None


class _MediaUpdate(Struct, frozen=True, kw_only=True):
    """A `MediaUpdateWire` with only the needed members of its items: decoding them to a dict of everything would cost as
    much as making the frame."""

    action: Action
    media_id: int
    media: _Item
    analysis_id: str | UnsetType = UNSET
    was: _Item | UnsetType = UNSET


def type_of(data: object) -> object:
    """The type to which an event's data is decoded, for the check and for `Abouts`."""
    return _MediaUpdate if data is MediaUpdateWire else data


class Abouts:
    """Reads what records are about; equal ones are one object."""

    def __init__(self) -> None:
        self._known: dict[About, About] = {}
        self._of_items: dict[tuple[object, ...], About] = {}

    def of(self, record: StoredRecord, value: object) -> About | None:
        """`value`: the record's, decoded; None: the event is for everybody who follows the channel."""
        if type(value) is not _MediaUpdate:
            about = _about(record, value)
            return None if about is None else self._one(about)
        media, was = value.media, value.was
        from_root = None if was is UNSET else was.storage_root
        members = record.key, media.storage_root, from_root, media.media_type, value.action
        try:
            return self._of_items[members]
        except (KeyError, TypeError):  # TypeError: one of them is a JSON list or object
            item = self._one(_about_item(record, value))
        if all(isinstance(member, bytes | str | None) for member in members):
            if len(self._of_items) >= MAX_KNOWN:
                self._of_items.clear()
            self._of_items[members] = item
        return item

    def _one(self, about: About) -> About:
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        return self._known.setdefault(about, about)


def _about_item(record: StoredRecord, update: _MediaUpdate) -> About:
    was = None if update.was is UNSET else _text(update.was.storage_root)
    media = update.media
    return About(_library(record), _text(media.storage_root), was, _text(media.media_type), update.action)


def _about(record: StoredRecord, value: object) -> About | None:
    match value:
        case AnalysisComplete(storage_root=root):
            return About(_library(record), _text(root))
        case SystemUpdate(action="storage_update", component=root, details=details):
            own = details.get("library") if isinstance(details, dict) else None
            return About(_text(own) or "", root)
        case SystemUpdate(action="health_check"):
            return INSTALLATION  # its text names roots
        case Notification():
            to = find(record.headers, X_TO)
            if to is None:
                return None
            read = addressee(to.decode("utf-8", "replace"))
            return INSTALLATION if read is None else About(to=read)
        case _:
            return None


def _library(record: StoredRecord) -> str:
    return (record.key or b"").decode("utf-8", "replace")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
