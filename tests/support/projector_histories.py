"""Histories of a small library as they are in the log, and their delivery in any order that Kafka allows.

Kafka keeps order inside a partition and nothing else: topics come in any interleaving, in batches of any size, and
a reset takes a partition back to any earlier offset, at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from schemas import topics
from schemas.changes import Created, Deleted, GapChanged, Modified, Renamed, RootChanged, ScanChanged
from schemas.media import Analysis, ItemAnalyzed, ItemCreated, ItemDeleted, ItemUpdated
from schemas.system import SystemUpdate
from schemas.topics import Topic
from streams.projector.plan import rows_of
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.store import Batch, Store
from tests.support.projector_log import LIBRARY, ROOT, Log, at, gone, item

PATHS = ("a.mkv", "b.mkv", "dir/c.mkv")


@dataclass(frozen=True, slots=True)
class Deliver:
    """The next `count` records of a topic, as one batch."""

    topic: Topic
    count: int


@dataclass(frozen=True, slots=True)
class Rewind:
    """A reset of a topic to a share of what was delivered, 0 to 100 %."""

    topic: Topic
    percent: int


Step = Deliver | Rewind
READ = (topics.CHANGES, topics.MEDIA_UPDATES, topics.SYSTEM_UPDATES)
deliveries: st.SearchStrategy[list[Step]] = st.lists(
    st.builds(Deliver, st.sampled_from(READ), st.integers(1, 6))
    | st.builds(Rewind, st.sampled_from(READ), st.integers(0, 100)),
    max_size=25,
)


class Library:
    """What is where while a history is written."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths
        self.log = Log()
        self.known: dict[str, int] = {}
        self.ids = 0
        self.step = 0

    def act(self, what: str, path: str) -> None:
        """One thing happens, where it can."""
        self.step += 1
        actions: dict[str, Callable[[str], None]] = {
            "write": self._write, "delete": self._delete, "move": self._move, "analyse": self._analyse,
            "lose": self._lose, "status": self._status, "scan": self._scan, "gap": self._gap,
        }  # fmt: skip
        actions[what](path)

    def _write(self, path: str) -> None:
        kind = Modified if path in self.known else Created
        if kind is Created:
            self.ids += 1
            self.known[path] = self.ids
        id_ = self.known[path]
        self.log.change(
            kind(
                library=LIBRARY, root=ROOT, at=at(self.step), path=path, type="file", origin="live",
                size=self.step, media_id=id_,
            )
        )  # fmt: skip
        self.log.update(ItemCreated if kind is Created else ItemUpdated, item(id_, path, version=self.step))

    def _delete(self, path: str) -> None:
        if (id_ := self.known.pop(path, None)) is not None:
            self.log.change(
                Deleted(
                    library=LIBRARY,
                    root=ROOT,
                    at=at(self.step),
                    path=path,
                    type="file",
                    origin="live",
                    media_id=id_,
                )
            )
            self.log.update(ItemDeleted, gone(id_, path))

    def _move(self, path: str) -> None:
        target = self.paths[(self.paths.index(path) + 1) % len(self.paths)]
        if path in self.known:
            self._delete(target)
            id_ = self.known[target] = self.known.pop(path)
            self.log.change(
                Renamed(
                    library=LIBRARY, root=ROOT, at=at(self.step), path=target, type="file", origin="live",
                    from_path=path, from_root=ROOT, media_id=id_,
                )
            )  # fmt: skip
            self.log.update(ItemUpdated, item(id_, target, version=self.step))

    def _analyse(self, path: str) -> None:
        if (id_ := self.known.get(path)) is not None:
            analysis = Analysis(status="done", at=at(self.step))
            analysed = item(id_, path, version=self.step, analysis=analysis)
            self.log.update(ItemAnalyzed, analysed, analysis_id=f"job-{self.step % 4}")

    def _lose(self, _path: str) -> None:
        for state, site in (("lost", None), ("declared", f"site {self.step}")):
            assert state in ("lost", "declared")
            self.log.change(
                RootChanged(
                    library=LIBRARY, root=ROOT, at=at(self.step), epoch="e", site=site,
                    state="lost" if state == "lost" else "declared",
                )
            )  # fmt: skip

    def _status(self, path: str) -> None:
        self.log.status(SystemUpdate(action="storage_update", component=ROOT, status="warning", message=path))

    def _scan(self, path: str) -> None:
        for state in ("started", "finished"):
            self.log.change(
                ScanChanged(
                    library=LIBRARY, root=ROOT, at=at(self.step), scan_id=self.step, origin="scan", cause=path,
                    state="started" if state == "started" else "finished",
                )
            )  # fmt: skip

    def _gap(self, path: str) -> None:
        self.log.change(
            GapChanged(
                library=LIBRARY, root=ROOT, at=at(self.step), cause="overflow",
                subtree="dir" if "/" in path else "",
                state="open" if self.step % 3 else "closed",
            )
        )  # fmt: skip


def _history(acts: list[tuple[str, str]]) -> Log:
    library = Library(PATHS)
    for what, path in acts:
        library.act(what, path)
    return library.log


_ACTS = ("write", "write", "delete", "move", "analyse", "lose", "status", "scan", "gap")
histories: st.SearchStrategy[Log] = st.lists(
    st.tuples(st.sampled_from(_ACTS), st.sampled_from(PATHS)), min_size=1, max_size=30
).map(_history)


async def straight(store: Store, log: Log) -> None:
    """The whole log, once, in order, record by record."""
    for topic in READ:
        await _forward(store, log, topic, len(log.of(topic)), size=1)


async def delivered(store: Store, log: Log, steps: list[Step], look: Callable[[], None]) -> None:
    """The steps, then what is left; `look` is called after each transaction."""
    for step in steps:
        match step:
            case Deliver(topic, count):
                await _forward(store, log, topic, count, size=count)
            case Rewind(topic, percent):
                await _back(store, topic, percent)
        look()
    for topic in READ:
        await _forward(store, log, topic, len(log.of(topic)), size=7, look=look)


async def _back(store: Store, topic: Topic, percent: int) -> None:
    partition = Partition(topic.name, 0)
    if (position := (await store.positions()).get(partition)) is not None:
        assert await store.move(partition, position.next_offset, position.next_offset * percent // 100)


async def _forward(
    store: Store, log: Log, topic: Topic, count: int, *, size: int, look: Callable[[], None] = lambda: None
) -> None:
    partition = Partition(topic.name, 0)
    await store.begin(partition, PartitionPosition(0, "e"))
    records = log.of(topic)
    for _ in range(0, count, size):
        at_ = (await store.positions())[partition].next_offset
        batch = records[at_ : at_ + size]
        if not batch:
            return
        rows = tuple(row for record in batch for row in rows_of(topic, record))
        assert await store.apply(Batch(partition, at_, at_ + len(batch), rows))
        look()
