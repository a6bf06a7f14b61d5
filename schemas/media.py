"""What the catalogue publishes: media updates and the end of analyses, in the shapes of the WebSocket contract.

These are exactly the `data` of `media_update` and `analysis_complete` frames; fields beyond the contract's
are additions. Readers ignore fields they do not know.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from schemas.found import Found, MediaType
from schemas.raw import ResultStatus

Action = Literal["created", "updated", "deleted", "analyzed"]


class Analysis(Struct, frozen=True, omit_defaults=True):
    """The newest finished analysis of an item."""

    status: ResultStatus
    at: str
    reason: str | None = None
    found: Found | None = None


class MediaItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The complete item. `directory_path` is `/<root>/<directory inside it>`; `duration` in seconds; `created_at` and
    `updated_at` are append times of the deciding records, ISO 8601. `category`: one of `schemas.found.CATEGORIES`;
    `last_episode`: of a file with several; `date`: the day in the file name, YYYY-MM-DD; `part`: of a film in several
    files, or the chapter of a book; `edition` as text · `artist`, `album`: of music, `author`: of books and audiobooks,
    `series`: of books and comics; from their tags, else from their folders · `belongs_to`: the item that this poster,
    subtitle or NFO file belongs to, the first if there are several · `subtitle_languages`: of the subtitles in the file
    and beside it, `und` if one does not name its language; of a subtitle its own, and `forced` and `sdh` are its own
    too · `corrected`: which members a person has set."""

    id: int
    title: str
    media_type: MediaType
    year: int | None = None
    description: str | None = None
    cover_image: str | None = None
    rating: float | None = None
    quality: str | None = None
    file_size: int
    directory_path: str
    smb_path: str | None = None
    created_at: str
    updated_at: str
    library: str
    storage_root: str
    path: str
    path_b64: str | None = None
    fingerprint: str | None = None
    category: str | None = None
    season: int | None = None
    episode: int | None = None
    last_episode: int | None = None
    date: str | None = None
    part: int | None = None
    edition: str | None = None
    duration: float | None = None
    analysis: Analysis | None = None
    artist: str | None = None
    album: str | None = None
    author: str | None = None
    series: str | None = None
    belongs_to: int | None = None
    subtitle_languages: tuple[str, ...] = ()
    forced: bool = False
    sdh: bool = False
    corrected: tuple[str, ...] = ()


class GoneItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is published about a deleted item."""

    id: int
    title: str
    media_type: MediaType
    storage_root: str
    path: str
    path_b64: str | None = None


class ItemCreated(Struct, frozen=True, kw_only=True, tag_field="action", tag="created"):
    """`data` of a `media_update`: the catalogue has a new item."""

    media_id: int
    media: MediaItem


class ItemUpdated(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action", tag="updated"):
    """`data` of a `media_update`: an item has moved, or its file has other content, or what belongs to it has changed,
    or (`cause`) the rules of version N give another result (`rules:N`), or a person corrected it (`corrected`). `was`:
    of an item that comes from another root (from rules version 5 on), what it was there; an account that may not see
    its new root receives this as a deletion."""

    media_id: int
    media: MediaItem
    cause: str | None = None
    was: GoneItem | None = None


class ItemAnalyzed(Struct, frozen=True, kw_only=True, tag_field="action", tag="analyzed"):
    """`data` of a `media_update`: an analysis of an item has ended."""

    media_id: int
    media: MediaItem
    analysis_id: str


class ItemDeleted(Struct, frozen=True, kw_only=True, tag_field="action", tag="deleted"):
    """`data` of a `media_update`: an item's file is gone."""

    media_id: int
    media: GoneItem


MediaUpdate = ItemCreated | ItemUpdated | ItemAnalyzed | ItemDeleted
"""Any record of the media updates; `action` identifies the type."""


class MediaUpdateWire(Struct, frozen=True, kw_only=True):
    """A `media_update` as any reader must accept it: the item may be partial (contract's examples)."""

    action: Action
    media_id: int
    media: dict[str, object]
    analysis_id: str | UnsetType = UNSET
    was: dict[str, object] | UnsetType = UNSET


class AnalysisComplete(Struct, frozen=True, kw_only=True):
    """`data` of an `analysis_complete`: once per scan that had jobs, or per quiet batch without a scan."""

    items_processed: int
    items_identified: int
    items_failed: int
    duration_ms: int
    storage_root: str | UnsetType = UNSET
    scan_id: int | UnsetType = UNSET
