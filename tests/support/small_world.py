"""Histories of a little world: somebody changes a small disk, two producers watch it, jobs get their results.

A history is a list of small steps (so that a failing one shrinks), and the picture is what a reader of the
outputs makes of them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from producer.core.normalise import Event, MoveEvent, Touched
from schemas import raw
from schemas.analysis import Job
from schemas.changes import Change, Created, Deleted, Modified, Renamed, TreeRenamed
from schemas.codec import Codec
from schemas.media import AnalysisComplete, ItemCreated, ItemDeleted, MediaItem, MediaUpdate
from schemas.paths import is_inside
from schemas.topics import ANALYSIS_JOBS, ANALYSIS_UPDATES, CHANGES, MEDIA_STATE, MEDIA_UPDATES, REQUESTED_JOBS
from streams.core.emit import Output
from tests.support.lane import Lane
from tests.support.small_tree import ROOTS, Disk, Node, Watcher

PATHS = ("a.mkv", "b.mkv", "n.txt", "D/a.mkv", "D/b.mp3", "D/E/a.mkv", "F/a.mkv", "F/D/x.mkv")
DIRECTORIES = ("D", "D/E", "F", "F/D", "G", "D/G")
SIZES = (0, 40, 5_000, 90_000)
WAITS = (0, 5, 700, 1_900, 2_100, 2_500, 6_000, 31_000)

_change: Codec[Change] = Codec(Change)
_job: Codec[Job] = Codec(Job)
_item: Codec[MediaItem] = Codec(MediaItem)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens; numbers pick modulo what there is."""

    name: str
    a: int = 0
    b: int = 0
    c: int = 0


DISK_STEPS = ("create", "write", "touch", "rename", "rename", "delete", "link", "recreate", "copy", "cross",
              "rmdir", "rename_dir", "mkdir", "replace")  # fmt: skip
WATCH_STEPS = ("look", "look", "look_some", "wait", "wait", "wait", "again", "finger", "lose_ties", "step", "step",
               "scan", "restart", "epoch", "resend", "result", "result")  # fmt: skip

PLAY_STEPS = ("swap", "swap_dirs", "onward", "tag")
"""What the seeds of `long_history` do not know, for they are pinned."""

_small = st.integers(0, 23)
steps = st.builds(Step, st.sampled_from(DISK_STEPS + PLAY_STEPS + WATCH_STEPS), _small, _small, _small)
histories = st.lists(steps, max_size=45)


def long_history(seed: int, longest: int = 70, play: tuple[str, ...] = ()) -> list[Step]:
    """A long one, with a mix of steps of its own: finds what short ones do not, and does not shrink."""
    draw = random.Random(seed)
    every = DISK_STEPS * 2 + play * 4 + WATCH_STEPS
    mix = [*draw.sample(every, draw.randint(4, len(every))), "create", "look", "wait"]
    length = draw.randint(longest // 10, longest)
    return [
        Step(draw.choice(mix), draw.randrange(24), draw.randrange(24), draw.randrange(24)) for _ in range(length)
    ]


@dataclass
class World:
    """The lane, the disk, its watchers. `jobs`: those published and not answered."""

    lane: Lane = field(default_factory=Lane)
    disk: Disk = field(default_factory=Disk)
    watchers: dict[str, Watcher] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    ever: set[tuple[str, str]] = field(default_factory=set)
    seen_outputs: int = 0
    linked: bool = False
    """There have been hard links: a write by one name is seen at the others by a scan only."""

    def __post_init__(self) -> None:
        for root in ROOTS:
            self.watchers[root] = Watcher(self.lane, self.disk, root)
            self.watchers[root].declare()

    def live(self, history: list[Step]) -> None:
        """Everything in its order."""
        for step in history:
            getattr(self, f"do_{step.name}")(step)
            self.listen()

    def settle_down(self) -> None:
        """Producers catch up, time passes until nothing is due, every job is answered."""
        for watcher in self.watchers.values():
            watcher.look()
            watcher.finish()
            if self.linked:
                watcher.begin("reconcile")
                watcher.finish()
        self.lane.quiet()
        self.listen()
        while self.jobs:
            self._answer(0, "done")
            self.lane.quiet()
            self.listen()

    def listen(self) -> None:
        """Jobs that were published since, and paths that have been on disk."""
        for output in self.lane.outputs[self.seen_outputs :]:
            if output.topic in (ANALYSIS_JOBS, REQUESTED_JOBS):
                self.jobs.append(_job.decode(output.value))
        self.seen_outputs = len(self.lane.outputs)
        for root in ROOTS:
            self.ever.update((root, path) for path in self.disk.trees[root])

    # -- what people do ----------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """The disk's clock."""
        return self.lane.at * 1_000_000

    def do_create(self, step: Step) -> None:
        root, path = self._root(step.a), PATHS[step.b % len(PATHS)]
        if self.disk.state(root, path) is None:
            self._new(root, path, SIZES[step.c % len(SIZES)])

    def do_write(self, step: Step) -> None:
        for root, path in self._file(step.a):
            node = self.disk.trees[root][path]
            self.disk.write(node, node.size + SIZES[step.b % len(SIZES)] + 1, self.now_ns)
            self._event(root, Touched(path, "written"))

    def do_touch(self, step: Step) -> None:
        for root, path in self._file(step.a):
            self.disk.trees[root][path].mtime_ns = self.now_ns
            self._event(root, Touched(path, "closed"))

    def do_rename(self, step: Step) -> None:
        for root, path in self._file(step.a):
            self._rename(root, path, root, PATHS[step.b % len(PATHS)])

    def do_cross(self, step: Step) -> None:
        for root, path in self._any(step.a):
            other = ROOTS[1 - ROOTS.index(root)]
            paths = PATHS if not self.disk.trees[root][path].is_dir else DIRECTORIES
            self._rename(root, path, other, paths[step.b % len(paths)])

    def do_replace(self, step: Step) -> None:
        """A safe save: a new file beside it takes its name."""
        for root, path in self._file(step.a):
            beside = path.rpartition("/")[0]
            temporary = f"{beside}/save.tmp" if beside else "save.tmp"
            if self.disk.state(root, temporary) is None:
                self._new(root, temporary, SIZES[step.b % len(SIZES)])
                self._rename(root, temporary, root, path)

    def do_rename_dir(self, step: Step) -> None:
        for root, path in self._directory(step.a):
            self._rename(root, path, root, DIRECTORIES[step.b % len(DIRECTORIES)])

    def do_swap(self, step: Step) -> None:
        """Two files change places through a third name."""
        for root, path in self._file(step.a):
            for other in [p for r, p in self._file(step.b) if r == root and p != path]:
                self._change_places(root, path, other)

    def do_swap_dirs(self, step: Step) -> None:
        for root, path in self._directory(step.a):
            others = [p for r, p in self._directory(step.b) if r == root]
            for other in [p for p in others if not is_inside(p, path) and not is_inside(path, p)]:
                self._change_places(root, path, other)

    def _change_places(self, root: str, path: str, other: str) -> None:
        for source, target in ((path, "aside"), (other, path), ("aside", other)):
            self._rename(root, source, root, target)

    def do_onward(self, step: Step) -> None:
        """A directory is renamed several times."""
        for root, path in self._directory(step.a):
            for target in (DIRECTORIES[(step.b + n) % len(DIRECTORIES)] for n in range(1 + step.c % 4)):
                if self.disk.state(root, path) is not None:
                    self._rename(root, path, root, target)
                    path = target

    def do_tag(self, step: Step) -> None:
        """Other contents, which only the fingerprint shows, not the path's state."""
        for root, path in self._file(step.a):
            node = self.disk.trees[root][path]
            self.disk.write(node, node.size, node.mtime_ns)
            self.watchers[root].finger(path)

    def do_mkdir(self, step: Step) -> None:
        self._parents(self._root(step.a), DIRECTORIES[step.b % len(DIRECTORIES)] + "/x")

    def do_delete(self, step: Step) -> None:
        for root, path in self._file(step.a):
            self.disk.unlink(root, path)
            self._event(root, Touched(path, "gone"))

    def do_rmdir(self, step: Step) -> None:
        for root, directory in self._directory(step.a):
            for path in reversed(self.disk.below(root, directory)):
                self.disk.unlink(root, path)
                self._event(root, Touched(path, "gone"))

    def do_link(self, step: Step) -> None:
        for root, path in self._file(step.a):
            target = PATHS[step.b % len(PATHS)]
            if self.disk.state(root, target) is None and self._parents(root, target):
                node = self.disk.trees[root][target] = self.disk.trees[root][path]
                node.links += 1
                self.linked = True
                self._event(root, Touched(target, "appeared"))

    def do_recreate(self, step: Step) -> None:
        for root, path in self._file(step.a):
            size = self.disk.trees[root][path].size
            self.do_delete(step)
            self._new(root, path, size if step.b % 2 else SIZES[step.c % len(SIZES)])

    def do_copy(self, step: Step) -> None:
        for root, path in self._file(step.a):
            node, target = self.disk.trees[root][path], PATHS[step.b % len(PATHS)]
            if self.disk.state(root, target) is None:
                self._new(root, target, node.size, node.content)

    # -- what producers and analysis do ------------------------------------------------------------------------

    def do_look(self, step: Step) -> None:
        self._watcher(step.a).look()

    def do_look_some(self, step: Step) -> None:
        self._watcher(step.a).look(1 + step.b % 3)

    def do_wait(self, step: Step) -> None:
        self.lane.later(WAITS[step.a % len(WAITS)])

    def do_again(self, step: Step) -> None:
        watcher = self._watcher(step.a)
        if watcher.index:
            watcher.again(_pick(sorted(watcher.index), step.b))

    def do_finger(self, step: Step) -> None:
        for root, path in self._file(step.a):
            self.watchers[root].finger(path)

    def do_lose_ties(self, step: Step) -> None:
        """The kernel's ties of moves not yet looked at are lost: two paths were touched, in either order."""
        watcher = self._watcher(step.a)
        untied: list[Event] = []
        for event in watcher.queue:
            if isinstance(event, MoveEvent):
                halves = [Touched(event.source, "gone"), Touched(event.target, "arrived")]
                untied += halves if step.b % 2 else halves[::-1]
            else:
                untied.append(event)
        watcher.queue[:] = untied

    def do_step(self, step: Step) -> None:
        self._watcher(step.a).step()

    def do_scan(self, step: Step) -> None:
        self._watcher(step.a).begin("reconcile")

    def do_restart(self, step: Step) -> None:
        self._watcher(step.a).restart(ties=step.b % 2 == 0)

    def do_epoch(self, step: Step) -> None:
        watcher = self._watcher(step.a)
        watcher.new_epoch(f"e{int(watcher.epoch[1:]) + 1}")

    def do_resend(self, step: Step) -> None:
        own = [r for _o, _t, _k, r in self.lane.log if isinstance(r, raw.ProducerRecord)]
        if own:
            for record in own[-1 - step.a % len(own) :][: 1 + step.b % 4]:
                self.lane.put(record)

    def do_result(self, step: Step) -> None:
        if self.jobs:
            self._answer(step.a % len(self.jobs), ("done", "failed", "unreadable")[step.b % 3])

    def _answer(self, index: int, status: raw.ResultStatus) -> None:
        job = self.jobs.pop(index)
        self.lane.put(
            raw.Result(
                job=job.job, media_id=job.media_id, root=job.root, size=job.file.size, mtime_ns=job.file.mtime_ns,
                inode=job.file.inode, status=status,
            )
        )  # fmt: skip

    # -- inside ------------------------------------------------------------------------------------------------

    def _new(self, root: str, path: str, size: int, content: int | None = None) -> None:
        if self._parents(root, path):
            node = self.disk.trees[root][path] = Node(self.disk.inode(), False)
            self.disk.write(node, size, self.now_ns, content)
            self._event(root, Touched(path, "appeared"))

    def _rename(self, root: str, path: str, to: str, target: str) -> None:
        if (root == to and is_inside(target, path)) or not self._parents(to, target):
            return
        if self.disk.rename(root, path, to, target):
            if root == to:
                self._event(root, MoveEvent(path, target))
            else:
                self._event(root, Touched(path, "gone"))
                self._event(to, Touched(target, "arrived"))

    def _parents(self, root: str, path: str) -> bool:
        made = self.disk.parents(root, path, self.now_ns)
        for directory in made or ():
            self._event(root, Touched(directory, "appeared"))
        return made is not None

    def _event(self, root: str, event: Touched | MoveEvent) -> None:
        self.watchers[root].queue.append(event)
        self.ever.update((root, path) for path in self.disk.trees[root])

    def _watcher(self, a: int) -> Watcher:
        return self.watchers[self._root(a)]

    @staticmethod
    def _root(a: int) -> str:
        return ROOTS[a % len(ROOTS)]

    def _file(self, a: int) -> list[tuple[str, str]]:
        return self._some(a, lambda node: not node.is_dir)

    def _directory(self, a: int) -> list[tuple[str, str]]:
        return self._some(a, lambda node: node.is_dir)

    def _any(self, a: int) -> list[tuple[str, str]]:
        return self._some(a, lambda _node: True)

    def _some(self, a: int, wanted: Any) -> list[tuple[str, str]]:
        found = sorted((r, p) for r in ROOTS for p, node in self.disk.trees[r].items() if wanted(node))
        return [_pick(found, a)] if found else []


def _pick(things: list[Any], number: int) -> Any:
    return things[number % len(things)]


@dataclass
class Picture:
    """What a reader of the outputs believes. Raises AssertionError when they contradict each other."""

    paths: dict[tuple[str, str], Change] = field(default_factory=dict)
    displaced: dict[tuple[str, str], Any] = field(default_factory=dict)
    items: dict[int, MediaItem] = field(default_factory=dict)
    states: dict[int, MediaItem] = field(default_factory=dict)
    ever: set[tuple[str, str]] = field(default_factory=set)
    opened: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    completed: list[AnalysisComplete] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    position: int = 0

    def read(self, outputs: list[Output]) -> None:
        """Read on in the list of all outputs."""
        new, self.position = outputs[self.position :], len(outputs)
        for output in new:
            headers = dict(output.headers)
            if "x-n" in headers:
                n = self.numbers[output.topic.name] = self.numbers.get(output.topic.name, 0) + 1
                assert int(headers["x-n"]) == n, "x-n is dense"
            if output.topic is CHANGES:
                self._change(_change.decode(output.value))
            elif output.topic is MEDIA_UPDATES:
                self._update(output)
            elif output.topic is MEDIA_STATE:
                self._state(output)
            elif output.topic is ANALYSIS_UPDATES:
                self.completed.append(_complete.decode(output.value))
        assert self.displaced == {}, "moved to where something is"

    def _change(self, change: Change) -> None:
        match change:
            case Created(settled=False) | Modified(settled=False):
                pass
            case Created():
                assert (change.root, change.path) not in self.paths, "created where something is"
                self.ever.add((change.root, change.path))
                self._enter(change)
            case Modified():
                assert self._at(change.root, change.path).media_id == change.media_id
                self._enter(change)
            case Deleted():
                assert self._at(change.root, change.path).media_id == change.media_id
                del self.paths[change.root, change.path]
            case Renamed():
                came_from, place = (change.from_root, change.from_path), (change.root, change.path)
                if change.from_taken:
                    before = self.displaced.pop(came_from)
                else:
                    before = self._at(*came_from)
                    del self.paths[came_from]
                assert before.media_id == change.media_id, "an item keeps its id when it moves"
                if place in self.paths:  # they change places: that one's own move follows
                    self.displaced[place] = self.paths[place]
                self._enter(change)
            case TreeRenamed():
                assert change.count > 0
            case _:
                pass

    def _enter(self, change: Created | Modified | Renamed) -> None:
        self.paths[change.root, change.path] = change

    def _at(self, root: str, path: str) -> Any:
        assert (root, path) in self.paths, f"{root}/{path} was never told of"
        return self.paths[root, path]

    def _update(self, output: Output) -> None:
        update = _updates.decode(output.value)
        id_ = update.media_id
        if isinstance(update, ItemCreated):
            assert id_ not in self.opened, "an item is opened once"
            self.opened.add(id_)
        else:
            assert id_ in self.items, f"{type(update).__name__} of an item that is not live"
        if isinstance(update, ItemDeleted):
            self.closed.add(id_)
            del self.items[id_]
        else:
            self.items[id_] = update.media

    def _state(self, output: Output) -> None:
        id_ = int(output.key)
        if output.value is None:
            del self.states[id_]
        else:
            self.states[id_] = _item.decode(output.value)


_complete: Codec[AnalysisComplete] = Codec(AnalysisComplete)
_updates: Codec[MediaUpdate] = Codec(MediaUpdate)
