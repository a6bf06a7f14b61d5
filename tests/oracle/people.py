"""What people and programs do to a disk, made up from a seed: single operations, and habits of several.

A sequence is made up by doing it, in a folder of its own, so that most of its steps are possible. There are few names, so
that they collide often."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from tests.oracle.hand import Hand
from tests.oracle.steps import OUTSIDE, PLACES, ROOTS, Step

DIRECTORIES = "abcde"
FILES = "fghijk"
DEPTH = 4
CROWD = 60
"""With more entries than this, more is removed than created."""


class People:
    """Makes up a sequence. Used once."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._random = random.Random(seed)
        self._folder = folder
        self._hand = Hand(folder)
        self._steps: list[Step] = []
        self._away: set[str] = set()
        self._entries: list[str] = []
        self._within = False
        for place in PLACES:
            (folder / place).mkdir(exist_ok=True)

    def live(self, operations: int, quiet_every: int = 60) -> list[Step]:
        """The sequence: as many operations on the disk, with turns of the producers between them, and everything brought
        to rest now and then."""
        done = rested = 0
        while done < operations:
            before = len(self._steps)
            self._act()
            done += sum(1 for step in self._steps[before:] if step.action not in _PLAYS)
            if done - rested >= quiet_every:
                rested = done
                self._rest()
        self._rest()
        return self._steps

    # -- choosing ----------------------------------------------------------------------------------------------

    def _look(self) -> None:
        found: list[str] = []
        for place in PLACES:
            for directory, directories, files in os.walk(self._folder / place):
                inner = os.path.relpath(directory, self._folder)
                found += [f"{inner}/{name}" for name in (*directories, *files)]
        self._entries = sorted(found)

    def _is_dir(self, path: str) -> bool:
        full = self._folder / path
        return full.is_dir() and not full.is_symlink()

    def _some(self, wanted: Callable[[str], bool]) -> str | None:
        found = [path for path in self._entries if wanted(path)]
        return self._random.choice(found) if found else None

    def _some_directory(self) -> str:
        return self._random.choice([*ROOTS, *PLACES, *filter(self._is_dir, self._entries)])

    def _some_file(self) -> str | None:
        return self._some(lambda path: not self._is_dir(path))

    def _name(self, names: str) -> str:
        while True:
            directory = self._some_directory()
            if directory.count("/") < DEPTH:
                return f"{directory}/{self._random.choice(names)}"

    # -- doing -------------------------------------------------------------------------------------------------

    def _do(self, action: str, path: str, other: str = "", number: int = 0) -> None:
        within = self._random.randrange(1, 12) if self._within or self._random.random() < 0.05 else 0
        step = Step(action, path, other, number, within)  # type: ignore[arg-type]
        self._hand.do(step)
        self._steps.append(step)
        if self._random.random() < 0.1:
            self._turns()

    def _turns(self) -> None:
        for root in ROOTS:
            if root not in self._away:
                self._steps += [Step("turn", root)] * self._random.randrange(3)
        if self._random.random() < 0.3:
            self._steps.append(Step("pause", number=self._random.choice((10, 40, 60, 60, 300, 600, 3_000))))

    def _rest(self) -> None:
        self._steps += [Step("start", root) for root in sorted(self._away)]
        self._away.clear()
        self._steps.append(Step("quiet"))

    def _act(self) -> None:
        self._look()
        self._within = self._random.random() < 0.1
        roll = self._random.random()
        if roll < 0.03:
            self._come_or_go()
        elif len(self._entries) > CROWD and roll < 0.5:
            self._less()
        else:
            habit = self._random.choices(list(HABITS), list(HABITS.values()))[0]
            habit(self)
        if self._random.random() < 0.35:
            self._turns()

    def _come_or_go(self) -> None:
        root = self._random.choice(ROOTS)
        if root in self._away:
            self._away.discard(root)
            self._steps.append(Step("start", root))
        else:
            self._away.add(root)
            self._steps.append(Step(self._random.choice(("stop", "kill")), root, within=self._random.randrange(8)))

    def _less(self) -> None:
        if (path := self._some(lambda _: True)) is not None:
            self._do("rmtree" if self._is_dir(path) else "unlink", path)

    def _size(self) -> int:
        return self._random.choice((0, 1, 7, 100, 100, 1_000, 5_000, 200_000))

    # -- habits ------------------------------------------------------------------------------------------------

    def make_file(self) -> None:
        self._do("write", self._name(FILES), number=self._size())

    def make_directory(self) -> None:
        self._do("mkdir", self._name(DIRECTORIES))

    def unpack(self) -> None:
        self._do("fill", self._name(DIRECTORIES), number=self._random.randrange(5))

    def change(self) -> None:
        if (path := self._some_file()) is not None:
            action = self._random.choice(("write", "append", "truncate", "touch", "retag", "retag", "mode"))
            self._do(action, path, number=self._size())

    def save_atomically(self) -> None:
        if (path := self._some_file()) is not None:
            self._do("write", f"{path}.tmp", number=self._size())
            self._do("rename", f"{path}.tmp", path)

    def rename(self) -> None:
        if (path := self._some(lambda _: True)) is not None:
            self._do("rename", path, self._name(DIRECTORIES if self._is_dir(path) else FILES))

    def rename_over(self) -> None:
        one, other = self._some_file(), self._some_file()
        if one is not None and other is not None:
            self._do("rename", one, other)

    def there_and_back(self) -> None:
        if (path := self._some(lambda _: True)) is not None:
            target = self._name(DIRECTORIES if self._is_dir(path) else FILES)
            self._do("rename", path, target)
            self._do("rename", target, path)

    def swap(self) -> None:
        pair = self._pair()
        if pair is not None:
            third = f"{pair[0]}.x"
            for source, target in ((pair[0], third), (pair[1], pair[0]), (third, pair[1])):
                self._do("rename", source, target)

    def exchange(self) -> None:
        pair = self._pair()
        if pair is not None:
            self._do("exchange", *pair)

    def ring(self) -> None:
        first, second, third = self._some_file(), self._some_file(), self._some_file()
        if first is not None and second is not None and third is not None:
            ends = [first, second, third]
            for source, target in ((ends[0], f"{first}.x"), (ends[1], ends[0]), (ends[2], ends[1])):
                self._do("rename", source, target)
            self._do("rename", f"{first}.x", third)

    def shift(self) -> None:
        directory = self._some_directory()
        for letter in reversed(FILES[:-1]):
            self._do("rename", f"{directory}/{letter}", f"{directory}/{FILES[FILES.index(letter) + 1]}")

    def remake(self) -> None:
        if (path := self._some(self._is_dir)) is not None:
            self._do(self._random.choice(("rmdir", "rmtree")), path)
            self._do("mkdir", path)
            self._do("write", f"{path}/{self._random.choice(FILES)}", number=self._size())

    def replace_season(self) -> None:
        old = self._some(self._is_dir)
        if old is not None:
            self._do("rename", old, f"{OUTSIDE}/{self._random.choice(DIRECTORIES)}{len(self._steps)}")
            new = self._some(self._is_dir)
            self._do(*(("mkdir", old) if new is None or self._random.random() < 0.4 else ("rename", new, old)))
            self._do("write", f"{old}/{self._random.choice(FILES)}", number=self._size())

    def change_kind(self) -> None:
        if (path := self._some(lambda _: True)) is None:
            return
        if self._random.random() < 0.5:
            self._do("rename", path, f"{OUTSIDE}/{self._random.choice(DIRECTORIES)}{len(self._steps)}")
        else:
            self._do("rmtree" if self._is_dir(path) else "unlink", path)
        kind = self._random.choice(("mkdir", "symlink", "fifo", "write", "fill"))
        self._do(kind, path, self._some_directory() if kind == "symlink" else "", 3)

    def move_in(self) -> None:
        name = f"{OUTSIDE}/{self._random.choice(DIRECTORIES)}{len(self._steps)}"
        self._do("fill", name, number=self._random.randrange(5))
        self._do("rename", name, self._name(DIRECTORIES))

    def link(self) -> None:
        if (path := self._some_file()) is not None:
            target = self._name(FILES)
            self._do("link", path, target)
            if self._random.random() < 0.5:
                self._do(self._random.choice(("append", "write", "retag")), path, number=self._size())

    def symlink(self) -> None:
        self._do("symlink", self._name(FILES), self._some_directory())

    def take(self) -> None:
        self._less()

    def take_and_make(self) -> None:
        if (path := self._some_file()) is not None:
            self._do("unlink", path)
            self._do("write", path, number=self._size())

    def _pair(self) -> tuple[str, str] | None:
        wanted = self._is_dir if self._random.random() < 0.3 else lambda path: not self._is_dir(path)
        one, other = self._some(wanted), self._some(wanted)
        return None if one is None or other is None else (one, other)


HABITS: dict[Callable[[People], None], int] = {
    People.make_file: 14, People.make_directory: 8, People.unpack: 2, People.change: 10, People.save_atomically: 5,
    People.rename: 12, People.rename_over: 4, People.there_and_back: 4, People.swap: 5, People.exchange: 4,
    People.ring: 3, People.shift: 3, People.remake: 5, People.replace_season: 5, People.change_kind: 5,
    People.move_in: 3, People.link: 5, People.symlink: 2, People.take: 4, People.take_and_make: 3,
}  # fmt: skip
"""The relative frequency of each."""

_PLAYS = frozenset({"turn", "pause", "stop", "kill", "start", "quiet"})
