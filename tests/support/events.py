"""Records as the fold and the status agent write them, for tests that need some in a topic."""

from __future__ import annotations

import json
from collections.abc import Mapping

from schemas.channels import MEDIA_UPDATES, Channel
from schemas.headers import event_headers
from tests.support.topic import NewRecord


def event(channel: Channel, data: Mapping[str, object], *, id: str, time: str, partition: int = 0) -> NewRecord:
    """One event of a channel with its CloudEvents headers."""
    assert channel.topic is not None
    headers = event_headers(id=id, type=channel.event, source="urn:tests", time=time, subject="test")
    value = json.dumps(data, ensure_ascii=False).encode()
    return NewRecord(channel.topic, value, key=b"home", partition=partition, headers=tuple(headers))


def film(n: int, *, title: str = "", size: int = 0) -> dict[str, object]:
    """`data` of a media update about film `n`; `size`: so many bytes more."""
    item = {
        "id": n, "title": title or f"Film {n}", "media_type": "video", "directory_path": "/movies",
        "created_at": "2024-01-15T10:30:00Z", "updated_at": "2024-01-15T10:30:00Z",
    }  # fmt: skip
    if size:
        item["description"] = "x" * size
    return {"action": "created", "media_id": n, "media": item}


def films(count: int, *, first: int = 0, partition: int = 0, size: int = 0) -> list[NewRecord]:
    """Media updates numbered from `first`."""
    return [
        event(
            MEDIA_UPDATES, film(n, size=size), id=f"film-{partition}-{n}", time="2024-01-15T10:30:00Z",
            partition=partition,
        )
        for n in range(first, first + count)
    ]  # fmt: skip
