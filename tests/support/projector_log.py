"""A small log as the fold and other stages write it, for tests of the projector."""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas import topics
from schemas.changes import Change
from schemas.codec import encode
from schemas.headers import X_N, Headers, event_headers
from schemas.ids import event_id
from schemas.media import Analysis, GoneItem, MediaItem, MediaUpdate
from schemas.system import SystemUpdate
from schemas.times import iso
from schemas.topics import Topic

LIBRARY = "home"
ROOT = "movies"
T0 = 1_790_000_000_000


@dataclass(frozen=True, slots=True)
class Logged:
    """A record as a consumer gives it, and the topic it stands in."""

    of: Topic
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def topic(self) -> str:
        """The topic's name."""
        return self.of.name


def at(step: int) -> str:
    """A time on the wire."""
    return iso(T0 + step * 1000)


@dataclass(slots=True)
class Log:
    """Appends records to one partition per topic; offsets are dense, or leave holes with `hole`."""

    partition: int = 0
    records: list[Logged] = field(default_factory=list)
    _next: dict[str, int] = field(default_factory=dict)
    _n: dict[str, int] = field(default_factory=dict)

    def append(self, topic: Topic, value: object, *, subject: str = "x", key: str = LIBRARY) -> Logged:
        """One derived record with its headers."""
        offset = self._next.get(topic.name, 0)
        extra: Headers = []
        if topic in topics.COUNTED:
            self._n[topic.name] = self._n.get(topic.name, 0) + 1
            extra.append((X_N, b"%d" % self._n[topic.name]))
        headers = event_headers(
            id=event_id(topic.name, self.partition, offset, 0),
            type=topic.name,
            source="urn:test",
            time=at(offset),
            subject=subject,
            extra=extra,
        )
        return self.put(topic, encode(value), tuple(headers), key=key)

    def put(
        self,
        topic: Topic,
        value: bytes | None,
        headers: tuple[tuple[str, bytes], ...] = (),
        *,
        key: str = LIBRARY,
    ) -> Logged:
        """One record of any bytes."""
        offset = self._next.get(topic.name, 0)
        self._next[topic.name] = offset + 1
        record = Logged(topic, self.partition, offset, T0 + offset * 1000, key.encode(), value, headers)
        self.records.append(record)
        return record

    def hole(self, topic: Topic) -> None:
        """An offset that readers never see (the end of a transaction)."""
        self._next[topic.name] = self._next.get(topic.name, 0) + 1

    def change(self, change: Change) -> Logged:
        """A record of the changes topic."""
        return self.append(topics.CHANGES, change)

    def update(self, kind: type[MediaUpdate], item: MediaItem | GoneItem, **more: str) -> Logged:
        """A record of the media updates topic."""
        update = kind(media_id=item.id, media=item, **more)  # type: ignore[arg-type]
        return self.append(topics.MEDIA_UPDATES, update, subject=str(item.id))

    def status(self, update: SystemUpdate) -> Logged:
        """A record of the system updates topic."""
        return self.append(topics.SYSTEM_UPDATES, update, subject=update.component, key=update.component)

    def of(self, topic: Topic) -> list[Logged]:
        """The records of one topic, in order."""
        return [record for record in self.records if record.of == topic]

    def end(self, topic: Topic) -> int:
        """The next offset of a topic."""
        return self._next.get(topic.name, 0)


def item(
    id: int, path: str, *, title: str = "Title", version: int = 0, analysis: Analysis | None = None
) -> MediaItem:
    """A media item at a path of the root."""
    return MediaItem(
        id=id,
        title=title,
        media_type="video",
        year=1999,
        quality="1080p",
        file_size=1000 + version,
        directory_path=f"/{ROOT}",
        created_at=at(0),
        updated_at=at(version),
        library=LIBRARY,
        storage_root=ROOT,
        path=path,
        analysis=analysis,
    )


def gone(id: int, path: str, title: str = "Title") -> GoneItem:
    """What is published about a deleted item."""
    return GoneItem(id=id, title=title, media_type="video", storage_root=ROOT, path=path)
