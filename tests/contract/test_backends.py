"""The producer's back-ends, the local one with each way to watch, a share on a real server, and the fake: one contract."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import xxhash
from msgspec import structs

from producer.backends.interface import Drained, Missed, Tree, Watch
from producer.core.facts import Print
from producer.core.fingerprint import WHOLE
from producer.core.normalise import DirectoryChanged, Event, MoveEvent, Touched
from producer.errors import RootFault, Unreadable, WatchUnavailable
from tests.fakes.producer_backend import FakeBackend
from tests.support.backend_worlds import Fake, Polled, Real, Shared, Whole, World
from tests.support.samba import samba
from tests.support.waiting import wait_until
from tests.support.watching import need_fanotify

__all__ = ["samba"]

TELLING = [Fake, Real, Whole, Shared]
"""Those whose watch gets reports of changes, and may miss some; another one polls, and reports directories."""

LIMITED = [Fake, Real]
"""Those whose watch may find no room."""

telling = pytest.mark.parametrize("world", TELLING, indirect=True)
limited = pytest.mark.parametrize("world", LIMITED, indirect=True)


@pytest.fixture(params=[*TELLING, Polled])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """One of them."""
    if request.param is Whole:
        need_fanotify(tmp_path)
    if request.param is not Shared:
        yield request.param(tmp_path)
        return
    shared = Shared(tmp_path.name, request.getfixturevalue("samba"))
    yield shared
    shared.close()


@pytest.fixture
def one_by_one(world: World) -> None:
    """Only where each directory has a watch of its own."""
    if not world.watches_one_by_one:
        pytest.skip("one watch is on the whole share: adding a directory costs nothing and looks at nothing")


# -- reading ---------------------------------------------------------------------------------------------------


def fingerprint(tree: Tree, path: str) -> Print | None:
    """Of what is there."""
    state = tree.stat(path)
    return None if state is None else tree.fingerprint(path, state)


def test_a_fingerprint_is_of_what_was_seen_and_of_nothing_else(world: World) -> None:
    world.make("a", "file", b"x")
    with world.backend.open() as tree:
        seen = tree.stat("a")
        assert seen is not None
        for other in (
            structs.replace(seen, size=2), structs.replace(seen, mtime_ns=seen.mtime_ns + 1),
            structs.replace(seen, inode=seen.inode + 1),
        ):  # fmt: skip
            assert tree.fingerprint("a", other) is None
        assert tree.fingerprint("a", structs.replace(seen, nlink=2, ctime_ns=1, dev=7)) is not None


def test_each_kind_of_entry_is_distinguished_and_none_is_followed(world: World) -> None:
    for kind in world.kinds:
        world.make(kind, kind, b"x")
    with world.backend.open() as tree:
        listing = tree.entries("") or []
        assert sorted((name, state.type) for name, state in listing) == sorted(
            zip(world.kinds, world.kinds, strict=True)
        )
        assert all(tree.stat(name) == state for name, state in listing)
        assert tree.entries("symlink") is None
        assert [name for name, state in listing if tree.fingerprint(name, state) is not None] == ["file"]


def test_what_is_not_there_is_nothing(world: World) -> None:
    world.make("file", "file", b"x")
    with world.backend.open() as tree:
        file = tree.stat("file")
        assert file is not None
        assert tree.stat("nothing") is None
        assert tree.stat("file/below") is None
        assert tree.entries("nothing") is None
        assert tree.entries("file") is None
        assert tree.fingerprint("nothing", file) is None


def test_an_entry_keeps_its_identity_until_it_is_replaced(world: World) -> None:
    world.make("a", "file", b"x")
    with world.backend.open() as tree:
        before = tree.stat("a")
        assert before == tree.stat("a")
        world.make("b", "file", b"x")
        other = tree.stat("b")
        assert before is not None
        assert other is not None
        assert before.inode != other.inode


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 196_608, 196_609, 1_000_000])
def test_a_fingerprint_is_of_the_size_and_the_first_middle_and_last_64_kib(world: World, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    world.make("a", "file", content)
    read = content if size <= 196_608 else (
        content[:65_536] + content[(size - 65_536) // 2 : (size - 65_536) // 2 + 65_536] + content[-65_536:]
    )  # fmt: skip
    with world.backend.open() as tree:
        state = tree.stat("a")
        assert state is not None
        found = tree.fingerprint("a", state)
    assert found is not None
    assert found.of(state)
    assert found.xxh3 == xxhash.xxh3_128_hexdigest(size.to_bytes(8, "little") + read)


@pytest.mark.parametrize("size", [0, 5, WHOLE, WHOLE + 1])
def test_an_md5_beside_a_fingerprint_is_of_the_whole_content(world: World, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    world.make("a", "file", content[:size])
    with world.backend.open() as tree:
        found = fingerprint(tree, "a")
    assert found is not None
    is_given = isinstance(world, Shared) and size <= WHOLE
    assert found.md5 == (hashlib.md5(content[:size]).hexdigest() if is_given else None)


def test_a_piece_is_of_the_content_and_beside_it_stands_the_files_state(world: World) -> None:
    world.make("a", "file", b"0123456789")
    with world.backend.open() as tree:
        state = tree.stat("a")
        pieces = [tree.piece("a", start, 4) for start in (0, 4, 8, 10, 99)]
    assert pieces == [(state, piece) for piece in (b"0123", b"4567", b"89", b"", b"")]


def test_of_what_is_no_regular_file_there_is_no_piece(world: World) -> None:
    others = [kind for kind in world.kinds if kind != "file"]
    for kind in others:
        world.make(kind, kind)
    with world.backend.open() as tree:
        pieces = [tree.piece(path, 0, 1) for path in ("", *others, "nothing", "symlink/a")]
    assert pieces == [None] * len(pieces)


def test_the_same_content_has_the_same_fingerprint_and_another_length_another(world: World) -> None:
    for name, content in (("a", b"same"), ("b", b"same"), ("c", b"same\0")):
        world.make(name, "file", content)
    with world.backend.open() as tree:
        prints = [found.xxh3 for name in "abc" if (found := fingerprint(tree, name)) is not None]
    assert prints[0] == prints[1] != prints[2]


def test_a_root_has_one_identity_and_may_be_empty(world: World) -> None:
    with world.backend.open() as one, world.backend.open() as other:
        assert one.identity == other.identity
        assert one.is_empty
    world.make("a", "file", b"")
    with world.backend.open() as tree:
        assert not tree.is_empty


def test_another_directory_at_its_place_has_another_identity(world: World) -> None:
    world.make("a", "file", b"")
    with world.backend.open() as before:
        known = before.identity
    world.swap()
    with world.backend.open() as tree:
        assert tree.identity != known
        assert tree.is_empty


def test_a_root_that_is_gone_cannot_be_opened(world: World) -> None:
    world.take("")
    with pytest.raises(RootFault) as fault:
        world.backend.open()
    assert fault.value.faulty.cause == "missing"


def test_a_root_that_is_a_file_cannot_be_opened(world: World) -> None:
    world.take("")
    world.make("", "file", b"")
    with pytest.raises(RootFault) as fault:
        world.backend.open()
    assert fault.value.faulty.cause == "not_a_directory"


# -- watching --------------------------------------------------------------------------------------------------


@dataclass
class Watcher:
    """A watch, and all that it has delivered."""

    watch: Watch
    events: list[Event] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    suspect: bool = False

    def take(self) -> Drained:
        drained = self.watch.drain(time.monotonic())
        self.events += drained.events
        self.suspect = self.suspect or drained.suspect
        if drained.missed is not None:
            self.missed.append(drained.missed)
        return drained

    def until(self, event: Event) -> list[Event]:
        """All events up to and with this one, which is waited for."""

        def delivered() -> bool:
            self.take()
            return event in self.events

        wait_until(delivered, 5, what=repr(event))
        end = self.events.index(event) + 1
        taken, self.events = self.events[:end], self.events[end:]
        return taken


@pytest.fixture
def watcher(world: World) -> Iterator[Watcher]:
    """A watch on the root and on `d`; `u` is not watched."""
    world.make("d", "dir")
    world.make("u", "dir")
    watcher = Watcher(world.backend.watch(lambda: None))
    for directory in ("", "d"):
        watcher.watch.add(directory)
    yield watcher
    watcher.watch.close()


def paths(events: list[Event]) -> set[str]:
    return {event.target if isinstance(event, MoveEvent) else event.path for event in events}


@telling
def test_what_happens_in_a_watched_directory_is_delivered_and_elsewhere_not(
    world: World, watcher: Watcher
) -> None:
    world.make("u/unseen", "file", b"x")
    world.make("d/a", "file", b"x")
    assert paths(watcher.until(Touched("d/a", world.whole))) == {"d/a"}
    world.take("d/a")
    assert watcher.until(Touched("d/a", "gone"))[-1:] == [Touched("d/a", "gone")]


def test_a_waiting_caller_is_woken_or_knows_when_to_drain(world: World) -> None:
    woken: list[None] = []
    watch = world.backend.watch(partial(woken.append, None))
    watch.add("")
    world.make("a", "file", b"x")

    def has_reason() -> bool:
        due = watch.next_due()
        return bool(woken) or (due is not None and due <= time.monotonic())

    wait_until(has_reason, 5, what="being woken")
    watch.close()


def test_a_watch_leads_to_what_happens_in_a_watched_directory_and_nowhere_else(
    world: World, watcher: Watcher
) -> None:
    world.make("u/unseen", "file", b"x")
    world.make("d/a", "file", b"x")
    wait_until(lambda: leads_to("d/a", watcher), 5, what="where to look")
    assert not any(path == "u" or path.startswith("u/") for path in paths(watcher.events))


def leads_to(path: str, watcher: Watcher) -> bool:
    watcher.take()
    return any(
        event == DirectoryChanged(path.rpartition("/")[0]) or (isinstance(event, Touched) and event.path == path)
        for event in watcher.events
    )


@telling
def test_a_move_between_watched_directories_is_one_event(world: World, watcher: Watcher) -> None:
    world.make("a", "file", b"x")
    world.move("a", "d/b")
    if isinstance(world, Shared):  # the fold connects them by the file's id
        both = [Touched("d/b", "appeared"), Touched("a", "gone")]

        def delivered() -> bool:
            watcher.take()
            return all(event in watcher.events for event in both)

        wait_until(delivered, 5, what=repr(both))
        return
    assert watcher.until(MoveEvent("a", "d/b"))[-1] == MoveEvent("a", "d/b")


@telling
def test_another_name_in_the_same_directory_is_one_event(world: World, watcher: Watcher) -> None:
    world.make("d/a", "file", b"x")
    world.move("d/a", "d/b")
    assert watcher.until(MoveEvent("d/a", "d/b"))[-1] == MoveEvent("d/a", "d/b")


@telling
def test_a_move_from_or_to_an_unwatched_place_is_an_arrival_or_a_departure(world: World, watcher: Watcher) -> None:
    world.make("u/a", "file", b"x")
    world.move("u/a", "d/a")
    watcher.until(Touched("d/a", "appeared" if isinstance(world, Shared) else "arrived"))
    world.move("d/a", "u/a")
    watcher.until(Touched("d/a", "gone"))


@telling
def test_what_follows_a_directorys_move_is_delivered_under_its_new_name(world: World, watcher: Watcher) -> None:
    world.move("d", "e")
    world.make("e/a", "file", b"x")
    assert watcher.until(Touched("e/a", world.whole))[0] == MoveEvent("d", "e")


def test_a_directory_that_left_is_watched_no_longer(world: World, watcher: Watcher) -> None:
    world.move("d", "u/d")

    def has_left() -> bool:
        watcher.take()
        return watcher.watch.coverage.watched == 1

    wait_until(has_left, 5, what="the directory to be watched no longer")


@telling
def test_a_directory_that_is_taken_out_is_watched_no_longer(world: World, watcher: Watcher) -> None:
    watcher.watch.remove("d")
    world.make("d/a", "file", b"x")
    world.make("b", "file", b"x")
    assert paths(watcher.until(Touched("b", world.whole))) == {"b"}
    assert watcher.watch.coverage.watched == 1


@limited
def test_directories_beyond_the_limit_are_counted_and_the_limit_is_named(world: World) -> None:
    assert not isinstance(world, Shared)
    world.limit_watches(1)
    world.make("d", "dir")
    watch = world.backend.watch(lambda: None)
    for directory in ("", "d", "d"):
        watch.add(directory)
    assert (watch.coverage.watched, watch.coverage.unwatched) == (1, 1)
    assert watch.coverage.limit
    watch.remove("d")
    assert watch.coverage.unwatched == 0
    watch.close()


@pytest.mark.usefixtures("one_by_one")
def test_a_directory_that_is_not_there_is_neither_watched_nor_missed(world: World, watcher: Watcher) -> None:
    before = watcher.watch.coverage
    watcher.watch.add("nothing")
    assert (watcher.watch.coverage.watched, watcher.watch.coverage.unwatched) == (before.watched, before.unwatched)


@telling
def test_events_that_were_lost_are_reported_once_and_watching_continues(world: World, watcher: Watcher) -> None:
    world.overflow()
    watcher.take()
    assert watcher.missed == [Missed("overflow")]
    world.make("d/a", "file", b"x")
    watcher.until(Touched("d/a", world.whole))
    assert watcher.missed == [Missed("overflow")]


@telling
def test_a_dead_watch_reports_that_each_time(world: World, watcher: Watcher) -> None:
    world.lose_watch()
    dead = Missed("watcher_died", is_dead=True)
    assert [watcher.take().missed, watcher.take().missed] == [dead, dead]


@pytest.mark.usefixtures("one_by_one")
def test_a_root_that_is_taken_from_its_place_is_suspect(world: World, watcher: Watcher) -> None:
    world.swap()

    def suspected() -> bool:
        watcher.take()
        return watcher.suspect

    wait_until(suspected, 5, what="the suspicion")


@pytest.mark.parametrize("world", [Fake, Real, Shared], indirect=True)
def test_a_system_that_provides_no_watch_gives_the_reason(world: World) -> None:
    world.refuse_watches()
    with pytest.raises(WatchUnavailable) as refused:
        world.backend.watch(lambda: None)
    assert refused.value.reason


# -- what only the fake can bring about ------------------------------------------------------------------------


def test_what_cannot_be_read_is_not_taken_for_gone() -> None:
    backend = FakeBackend()
    backend.make("d", "dir")
    backend.make("d/a", "file", b"x")
    with backend.open() as tree:
        seen = tree.stat("d/a")
        assert seen is not None
        backend.broken.add("d/a")
        with pytest.raises(Unreadable):
            tree.stat("d/a")
        with pytest.raises(Unreadable):
            tree.entries("d")
        assert tree.fingerprint("d/a", seen) is None


def test_a_root_that_cannot_be_listed_cannot_be_opened() -> None:
    backend = FakeBackend()
    backend.broken.add("")
    with pytest.raises(RootFault) as fault:
        backend.open()
    assert fault.value.faulty.cause == "unreadable"


def test_an_open_root_that_goes_answers_as_an_empty_one_under_the_identity_it_had() -> None:
    backend = FakeBackend()
    backend.make("a", "file", b"x")
    with backend.open() as tree:
        known = tree.identity
        backend.unmount()
        assert tree.entries("") == []
        assert tree.identity == known
    with backend.open() as now:
        assert now.identity != known
