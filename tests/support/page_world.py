"""A catalogue for the pages to show: items with covers, roots of which one is lost, a scan, an analysis, history."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from PIL import Image, ImageDraw
from psycopg import sql
from psycopg.types.json import Jsonb

NOW = datetime.now(UTC)
TITLES = (
    "Stalker", "Solaris", "The Mirror", "Andrei Rublev", "Nostalghia", "Metropolis", "Der Himmel über Berlin", "فيلم قصير",
    "Dark",    "Selected Ambient Works", "Harbour at Night", "The Left Hand of Darkness",
)  # fmt: skip
KINDS = (
    ("video", "movie", "1080p"),
    ("video", "tv_show", "720p"),
    ("audio", "music", None),
    ("image", "photo", None),
    ("book", "book", None),
)


def insert(connection: psycopg.Connection, table: str, **row: Any) -> None:
    """One row."""
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    places = sql.SQL(", ").join(map(sql.Placeholder, row))
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), columns, places), row
    )


def fill(url: str, items: int) -> None:
    """Write what the projector would have written; every third item has one of twelve covers."""
    source = {"src_partition": 0, "src_offset": 0}
    with psycopg.connect(url) as connection:
        for root, protocol, state in (("movies", "local", "declared"), ("nas", "smb", "lost")):
            row = {"root": root, "protocol": protocol, "state": state, "changed_at": NOW - timedelta(hours=3)}
            insert(
                connection, "storage_roots", **row, library="home", location=f"/srv/{root}", epoch="e", **source
            )
        for number in range(12):
            insert(
                connection, "covers", hash=_hash(number), mime="image/jpeg", width=200, height=300,
                data=_cover(number), src_offset=number,
            )  # fmt: skip
        with connection.cursor().copy(
            "COPY media_items (id, library, storage_root, path, title, media_type, category, year, quality, file_size,"
            " cover_image, created_at, updated_at, item, src_partition, src_offset) FROM STDIN"
        ) as copy:
            for n in range(1, items + 1):
                copy.write_row(_item(n))
        for n, change in enumerate(_changes(), 1):
            record = {
                "library": "home",
                "root": "movies",
                "at": (NOW - timedelta(hours=9 - n)).isoformat(),
                **change,
            }
            known = {
                name: record[name]
                for name in ("kind", "path", "from_path", "from_root", "media_id")
                if name in record
            }
            insert(
                connection, "change_log", event_id=uuid.uuid5(uuid.NAMESPACE_OID, str(n)), library="home",
                root=record["root"], at=record["at"], n=n, record=Jsonb(record), src_partition=0, src_offset=n, **known,
            )  # fmt: skip
        insert(
            connection, "scans", scan_id=7, library="home", root="movies", state="finished", origin="scan", cause="start",
            counts=Jsonb({"seen": 3_211, "created": 12}), started_at=NOW - timedelta(hours=2),
            ended_at=NOW - timedelta(hours=2) + timedelta(seconds=31), **source,
        )  # fmt: skip


def _hash(number: int) -> str:
    return f"{number:032x}"


def _cover(number: int) -> bytes:
    image = Image.new("RGB", (200, 300), (40 + 17 * number % 200, 60 + 31 * number % 160, 90 + 47 * number % 140))
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 60, 170, 200), fill=(230 - 12 * number, 200, 90 + 12 * number))
    draw.rectangle((0, 240, 200, 300), fill=(20, 24, 30))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=80)
    return written.getvalue()


def _item(n: int) -> tuple[object, ...]:
    media_type, category, quality = KINDS[n % len(KINDS)]
    title = f"{TITLES[n % len(TITLES)]} {n}"
    at = NOW - timedelta(minutes=n)
    cover = f"/api/v1/covers/{_hash(n % 12)}" if n % 3 else None
    path = f"{category}/{title}/{title}.mkv"
    item: dict[str, object] = {
        "id": n, "title": title, "media_type": media_type, "category": category, "file_size": 700_000_000 + n,
        "directory_path": f"/movies/{category}", "created_at": at.isoformat(), "updated_at": at.isoformat(),
        "library": "home", "storage_root": "movies", "path": path, "year": 1960 + n % 60,
    }  # fmt: skip
    if quality:
        item["quality"] = quality
    if cover:
        item["cover_image"] = cover
    if n == 1:
        item |= {
            "description": "A guide leads two men through the Zone.",
            "duration": 9_660,
            "analysis": _analysis(at),
        }
    return (
        n, "home", "movies", path, title, media_type, category, item["year"], quality, item["file_size"], cover, at, at,
        Jsonb(item), 0, n,
    )  # fmt: skip


def _analysis(at: datetime) -> dict[str, object]:
    found = {
        "container": "matroska", "video_codec": "hevc", "audio_codec": "flac", "width": 1920, "height": 1080,
        "bit_rate": 8_200_000, "frame_rate": 23.976, "warnings": ["the last 3 seconds could not be read"],
        "audio_tracks": [
            {"codec": "flac", "language": "ru", "channels": 2, "default": True},
            {"codec": "ac3", "language": "en", "channels": 6, "title": "Commentary", "commentary": True},
        ],
        "subtitle_tracks": [{"codec": "subrip", "language": "de"}, {"codec": "subrip", "language": "en", "sdh": True}],
        "chapters": [{"start_ms": 0, "title": "The bar"}, {"start_ms": 2_100_000, "title": "The Zone"}],
        "credits": [{"name": "Andrei Tarkovsky", "role": "director"}],
    }  # fmt: skip
    return {"status": "done", "at": at.isoformat(), "found": found}


def _changes() -> list[dict[str, object]]:
    request = {
        "kind": "analysis_request_changed",
        "request": 5,
        "reason": "new rules",
        "by": "admin",
        "matched": 400,
    }
    return [
        {"kind": "created", "path": "inbox/stalker.mkv", "media_id": 1, "size": 700_000_001},
        {
            "kind": "moved",
            "path": "films/Stalker.mkv",
            "from_path": "inbox/stalker.mkv",
            "from_root": "movies",
            "media_id": 1,
        },
        {"kind": "modified", "path": "films/Stalker.mkv", "media_id": 1, "size": 700_000_001},
        {"kind": "deleted", "path": "films/Gone.mkv", "media_id": 900_001},
        {"kind": "gap_changed", "root": "nas", "state": "open", "cause": "connection_lost", "subtree": ""},
        {**request, "state": "started", "processed": 0, "failed": 0},
        {**request, "state": "progress", "processed": 170, "failed": 3},
    ]
