"""Applies steps to a real disk, as tools do, by plain system calls."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

from tests.oracle.lives import Lives
from tests.oracle.steps import OUTSIDE, Step

EXCHANGE = 2
AT_FDCWD = -100
_libc = ctypes.CDLL(None, use_errno=True)


class Hand:
    """Works below `folder`; every write has different bytes. `links`: how many were made, by inode."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self.links: Counter[int] = Counter()
        self.lives = Lives()

    def do(self, step: Step) -> bool:
        """True when it could be done."""
        action: Callable[[Step, Path], None] = getattr(self, f"_{step.action}")
        try:
            action(step, self._folder / step.path)
        except OSError:
            return False
        return True

    def _bytes(self, size: int) -> bytes:
        seed = f"{next(self._numbers)}:".encode()
        return (seed * (size // len(seed) + 1))[:size]

    def _write(self, step: Step, path: Path) -> None:
        made = not path.exists()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self._bytes(step.number))
        (self.lives.begin if made else self.lives.rewrite)(path)

    def _append(self, step: Step, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self._bytes(step.number))
        self.lives.rewrite(path)

    def _truncate(self, step: Step, path: Path) -> None:
        only_file(path)
        self.lives.rewrite(path)
        os.truncate(path, step.number)

    def _touch(self, step: Step, path: Path) -> None:
        if not path.is_dir():
            self.lives.rewrite(path)
        os.utime(path, ns=(1, 1_600_000_000_000_000_000 + step.number), follow_symlinks=False)

    def _retag(self, _: Step, path: Path) -> None:
        only_file(path)
        self.lives.rewrite(path)
        before = path.stat()
        with path.open("r+b") as file:
            file.write(self._bytes(before.st_size))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def _mode(self, step: Step, path: Path) -> None:
        only_file(path)
        path.chmod(0o600 | step.number % 64)

    def _mkdir(self, _: Step, path: Path) -> None:
        path.mkdir()

    def _fill(self, step: Step, path: Path) -> None:
        path.mkdir()
        (path / "in").mkdir()
        for number in range(step.number % 5 + 1):
            (path / f"f{number}").write_bytes(self._bytes(10 + number))
            (path / "in" / f"g{number}").write_bytes(self._bytes(20 + number))
        self.lives.begin(path)

    def _rmdir(self, _: Step, path: Path) -> None:
        path.rmdir()

    def _rmtree(self, _: Step, path: Path) -> None:
        shutil.rmtree(path)

    def _unlink(self, _: Step, path: Path) -> None:
        path.unlink()

    def _going(self, step: Step, path: Path) -> None:
        places = step.path.partition("/")[0], step.other.partition("/")[0]
        notes = [self.lives.move]
        if OUTSIDE in places:
            notes.append(self.lives.roam)
        elif places[0] != places[1]:
            notes.append(self.lives.cross)
        for note in notes:
            note(path)
            note(self._folder / step.other)

    def _rename(self, step: Step, path: Path) -> None:
        self._going(step, path)
        path.rename(self._folder / step.other)

    def _exchange(self, step: Step, path: Path) -> None:
        self._going(step, path)
        names = os.fsencode(path), os.fsencode(self._folder / step.other)
        if _libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], EXCHANGE):
            raise OSError(ctypes.get_errno(), "renameat2")

    def _link(self, step: Step, path: Path) -> None:
        self.lives.rewrite(path)  # two names for a while are more than a move
        os.link(path, self._folder / step.other, follow_symlinks=False)
        self.links[path.lstat().st_ino] += 1

    def _symlink(self, step: Step, path: Path) -> None:
        path.symlink_to(self._folder / step.other)

    def _copy(self, step: Step, path: Path) -> None:
        only_file(path)
        shutil.copyfile(path, self._folder / step.other)
        self.lives.begin(self._folder / step.other)

    def _clone(self, step: Step, path: Path) -> None:
        self._copy(step, path)
        shutil.copystat(path, self._folder / step.other)

    def _fifo(self, _: Step, path: Path) -> None:
        os.mkfifo(path)


def only_file(path: Path) -> None:
    """Raises OSError where there is no regular file."""
    if path.is_symlink() or not path.is_file():
        raise OSError("not a regular file")
