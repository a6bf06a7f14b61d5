"""A seeded hand that works on a tree of files as people and programs do, in a thread, and counts what it did."""

from __future__ import annotations

import io
import random
import threading
import time
from pathlib import Path

from PIL import Image

DIRECTORIES = ("", "Alpha", "Beta/Season 1", "Gamma ünïcode")
SUFFIXES = (".txt", ".nfo", ".mkv", ".mp3", ".jpg", ".srt")


class Mutator:
    """Creates, appends, rewrites, renames (in and across directories), deletes, moves directories. `witnesses`:
    files that it renames again and again and never rewrites or deletes: name → present path."""

    def __init__(self, folder: Path, seed: int, *, per_second: float = 60) -> None:
        self._folder = folder
        self._random = random.Random(seed)
        self._pause = 1 / per_second
        self._files: list[Path] = []
        self._number = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.witnesses: dict[str, Path] = {}
        self.done = 0
        self._failure: BaseException | None = None
        for directory in DIRECTORIES:
            (folder / directory).mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Work until `stop`."""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Stop; raises what went wrong."""
        self._stop.set()
        assert self._thread is not None
        self._thread.join(30)
        if self._failure is not None:
            raise self._failure

    def make_witnesses(self, count: int) -> None:
        """Create files that will only ever be renamed."""
        for number in range(count):
            path = self._folder / f"witness {number}.dat"
            path.write_bytes(f"witness {number} ".encode() * 20)
            self.witnesses[path.name] = path

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._one()
                self.done += 1
                time.sleep(self._pause)
        except BaseException as error:  # noqa: BLE001  told to the test by stop()
            self._failure = error

    def _one(self) -> None:
        roll = self._random.random()
        if roll < 0.45 or len(self._files) < 20:
            self._create()
        elif roll < 0.6:
            path = self._random.choice(self._files)
            with path.open("ab") as file:
                file.write(b"more " * self._random.randrange(10, 60))
        elif roll < 0.75:
            index = self._random.randrange(len(self._files))
            target = self._fresh(self._files[index].suffix)
            self._files[index] = self._files[index].rename(target)
        elif roll < 0.83 and self.witnesses:
            name = self._random.choice(list(self.witnesses))
            self.witnesses[name] = self.witnesses[name].rename(self._fresh(".dat"))
        elif roll < 0.98:
            self._files.pop(self._random.randrange(len(self._files))).unlink()
        else:
            self._directory()

    def _create(self) -> None:
        path = self._fresh(self._random.choice(SUFFIXES))
        path.write_bytes(self._content(path.suffix))
        self._files.append(path)

    def _directory(self) -> None:
        self._number += 1
        folder = self._folder / f"pack {self._number}"
        folder.mkdir()
        inside = [folder / f"track {i} of {self._number}.txt" for i in range(3)]
        for path in inside:
            path.write_bytes(self._content(".txt"))
        moved = folder.rename(self._folder / "Alpha" / folder.name)
        self._files += [moved / path.name for path in inside]

    def _fresh(self, suffix: str) -> Path:
        self._number += 1
        directory = self._random.choice(DIRECTORIES)
        return self._folder / directory / f"item {self._number}{suffix}"

    def _content(self, suffix: str) -> bytes:
        if suffix == ".jpg":
            picture = Image.new("RGB", (40 + self._number % 50, 30), (self._number % 256, 90, 120))
            data = io.BytesIO()
            picture.save(data, "JPEG")
            return data.getvalue()
        return f"content {self._number} ".encode() * self._random.randrange(10, 100)


def tree(folder: Path) -> dict[str, int]:
    """Every regular file below a folder: relative path → size."""
    return {
        str(path.relative_to(folder)): path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
