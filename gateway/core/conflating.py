"""Conflation: of what a slow client missed, only the newest event of each item. A burst of ten thousand updates is then as
long as the list of items. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

TURN_BYTES = 524_288
"""Bytes of payloads that one turn may examine (some 1,000 of 500 bytes: 1 ms)."""


class _Data(Struct, frozen=True):
    media_id: int | None = None
    component: str | None = None


class _Frame(Struct, frozen=True):
    type: str = ""
    data: _Data = _Data()


_frame = msgspec.json.Decoder(_Frame).decode


def newest(payloads: Sequence[bytes]) -> list[bytes]:
    """The newest frame of each item or component, in their order; frames about neither are kept."""
    kept: dict[object, bytes] = {}
    for index, payload in enumerate(payloads):
        key = _key(payload)
        kept.pop(key, None)
        kept[index if key is None else key] = payload
    return list(kept.values())


def _key(payload: bytes) -> tuple[str, object] | None:
    frame = _frame(payload)
    if frame.type == "gap":
        return None
    about = frame.data.component if frame.data.media_id is None else frame.data.media_id
    return None if about is None else (frame.type, about)
