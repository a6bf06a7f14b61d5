"""What is done to the tree, as one table: the state before it, the tools or actions, and what a fair judgement must know.

A workload's `prepare` creates the state it begins with, and does nothing where the one before has left it, so all of them in
their order are one day in the life of a root and each can also be run alone."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.watching import actions
from bench.watching.trees import Source, run
from tests.support.samba import Client

SHORT_LIVED = 60_000
SLOW_SECONDS = 60.0
SHORTEST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Place:
    """`root` is watched, `outside` is not and is on the same file system; `client`: of the share that both are on, if they
    are."""

    root: Path
    outside: Path
    source: Source
    scale: float
    client: Client | None = None

    def fill(self, command: str) -> list[str]:
        """A command with the places put in."""
        places = {"root": self.root, "outside": self.outside, "archive": self.source.archive}
        versions = {"first": self.source.first, "second": self.source.second, "repository": self.source.repository}
        return [word.format(**places, **versions) for word in shlex.split(command)]

    def count(self, whole: int) -> int:
        """So many, at this scale."""
        return max(1, int(whole * self.scale))


Step = Callable[[Place], None]


@dataclass(frozen=True, slots=True)
class Workload:
    """`moved`: directories that are moved as a whole, from or to; `removes`: something is removed that was there before, or
    is there afterwards; `tools`: the programs it needs; `is_begun`: it has begun when the watcher starts."""

    name: str
    prepare: Step
    work: Step
    moved: frozenset[bytes] = frozenset()
    removes: bool = True
    tools: tuple[str, ...] = ()
    is_begun: bool = False

    @property
    def missing(self) -> str | None:
        """A tool that is not on this machine."""
        return next((tool for tool in self.tools if shutil.which(tool) is None), None)


def commands(*lines: str) -> Step:
    """Tools, one after another."""

    def work(place: Place) -> None:
        for line in lines:
            run(*place.fill(line))

    return work


def absent(*names: str) -> Step:
    """Remove these."""

    def prepare(place: Place) -> None:
        for name in names:
            if (place.root / name).exists():
                run("rm", "-rf", str(place.root / name))

    return prepare


def present(name: str, *lines: str, absent_then: str | None = None) -> Step:
    """Create it by these commands where it does not exist; remove the other one."""

    def prepare(place: Place) -> None:
        if absent_then is not None:
            absent(absent_then)(place)
        if not Path(name.format(root=place.root, outside=place.outside)).exists():
            commands(*lines)(place)

    return prepare


def folder(name: str, work: Callable[[Path, Place], None]) -> tuple[Step, Step]:
    """An empty folder, and the work in it."""

    def prepare(place: Place) -> None:
        absent(name)(place)
        (place.root / name).mkdir()

    return prepare, lambda place: work(place.root / name, place)


_FLOOD = folder("flood", lambda at, place: actions.create_write_delete(at, place.count(SHORT_LIVED)))
_LINKS = folder("links", lambda at, place: actions.link_and_map(at, place.count(4_000)))
_SLOW = folder(
    "slow", lambda at, place: actions.write_slowly(at / "log", max(SHORTEST_SECONDS, SLOW_SECONDS * place.scale))
)
_EDITORS = folder("texts", lambda at, place: actions.save_like_editors(at, place.count(2_000)))
_TORRENT = folder("films", lambda at, place: actions.fill_in_pieces(at, 4, place.count(128)))

_UNTAR = ("mkdir {root}/linux", "tar -C {root}/linux -xf {archive}")
_INTO_DEEP = "mv {root}/linux {root}/deep/down/linux"


def _before_moving(place: Place) -> None:
    present("{root}/linux", *_UNTAR)(place)
    absent("deep")(place)
    (place.root / "deep" / "down").mkdir(parents=True)


def _first_in_git(place: Place) -> None:
    present("{root}/git", "cp -a {repository} {root}/git")(place)
    run("git", "-C", str(place.root / "git"), "checkout", "-q", "first")


WORKLOADS: tuple[Workload, ...] = (
    Workload("untar", absent("linux"), commands(*_UNTAR), removes=False, tools=("tar",)),
    Workload("cp -r", absent("copy"), commands("cp -r {first} {root}/copy"), removes=False),
    Workload(
        "rsync -a", absent("mirror"), commands("rsync -a {first}/ {root}/mirror/"), removes=False, tools=("rsync",)
    ),
    Workload(
        "rsync -a --inplace", present("{root}/mirror", "cp -a {first} {root}/mirror"),
        commands("rsync -a --inplace {second}/ {root}/mirror/"), removes=False, tools=("rsync",),
    ),
    Workload(
        "rsync -a --delete", present("{root}/mirror", "cp -a {second} {root}/mirror"),
        commands("rsync -a --delete {first}/ {root}/mirror/"), tools=("rsync",),
    ),
    Workload(
        "mv within", _before_moving, commands(_INTO_DEEP), moved=frozenset({b"linux", b"deep/down/linux"})
    ),
    Workload(
        "mv out", present("{root}/deep/down/linux", *_UNTAR, "mkdir -p {root}/deep/down", _INTO_DEEP),
        commands("mv {root}/deep/down/linux {outside}/linux"), moved=frozenset({b"deep/down/linux"}),
    ),
    Workload(
        "mv in", present("{outside}/linux", "cp -a {first} {outside}/linux", absent_then="linux"),
        commands("mv {outside}/linux {root}/linux"), moved=frozenset({b"linux"}), removes=False,
    ),
    Workload("rm -rf", present("{root}/copy", "cp -r {first} {root}/copy"), commands("rm -rf {root}/copy")),
    Workload(
        "git checkout, 3 times", _first_in_git,
        commands(*(f"git -C {{root}}/git checkout -q {tag}" for tag in ("second", "first", "second"))),
        tools=("git",),
    ),
    Workload("60,000 create-write-delete", *_FLOOD),
    Workload("hard links, mmap", *_LINKS, removes=False),
    Workload("slow writer, 60 s", *_SLOW, removes=False),
    Workload("editors' saves", *_EDITORS),
    Workload("torrent", *_TORRENT, removes=False),
    Workload("started inside an untar", absent("linux"), commands(), removes=False, tools=("tar",), is_begun=True),
)  # fmt: skip


class HalfUntarred:
    """An untar that is halted in its middle, with a watcher about to start, and continues slowly until it has."""

    FIRST = 0.4
    LAST = 0.8
    SLICES = 40

    def __init__(self, place: Place) -> None:
        (place.root / "linux").mkdir()
        self._archive = place.source.archive.open("rb")
        self._size = place.source.archive.stat().st_size
        self._tar = subprocess.Popen(
            ["tar", "-C", str(place.root / "linux"), "-xf", "-"], stdin=subprocess.PIPE
        )  # fmt: skip
        self._feed(self.FIRST)

    def go_on(self) -> None:
        """Continue a little, but never to the end."""
        self._feed(min(self.LAST, self._archive.tell() / self._size + (self.LAST - self.FIRST) / self.SLICES))

    def finish(self) -> None:
        """Continue to the end."""
        self._feed(1.0)
        assert self._tar.stdin is not None
        self._tar.stdin.close()
        if self._tar.wait():
            raise RuntimeError("tar failed")
        self._archive.close()

    def _feed(self, share: float) -> None:
        assert self._tar.stdin is not None
        while (left := int(self._size * share) - self._archive.tell()) > 0:
            self._tar.stdin.write(self._archive.read(min(left, 1 << 20)))
