"""Actions of programs that no ordinary command-line tool does: floods of short-lived files, writing through mappings and
other names, writing slowly, saving as editors do, preallocating and filling in pieces as torrent clients do.

Each works in a folder of its own and leaves every file closed."""

from __future__ import annotations

import mmap
import os
import random
import time
from pathlib import Path

SEED = 1_977
PIECE = 16_384
PAGES = 2 * mmap.PAGESIZE


def create_write_delete(folder: Path, count: int) -> None:
    """So many files, each deleted at once."""
    for number in range(count):
        path = folder / f"short-lived {number}"
        path.write_bytes(b"content")
        path.unlink()


def link_and_map(folder: Path, count: int) -> None:
    """Files with a second name in another directory; every second one is written to through a mapping of that name."""
    others = folder / "other names"
    others.mkdir()
    for number in range(count):
        path, other = folder / f"file {number}", others / f"name {number}"
        path.write_bytes(bytes(PAGES))
        os.link(path, other)
        if number % 2:
            continue
        with other.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
            mapping[: len(b"mapped")] = b"mapped"
            mapping.flush()


def write_slowly(path: Path, seconds: float) -> None:
    """A line every quarter of a second."""
    until = time.monotonic() + seconds
    with path.open("ab", buffering=0) as file:
        while time.monotonic() < until:
            file.write(b"one more line\n")
            time.sleep(0.25)


def save_like_editors(folder: Path, count: int) -> None:
    """Files written once and saved three times: a backup made by renaming (vim), a new file renamed over the old one
    (most), and written in place with a backup copied before (emacs)."""
    for number in range(count):
        path = folder / f"text {number}.md"
        path.write_text("first\n")
        backup, fresh = path.with_name(path.name + "~"), path.with_name(f".{path.name}.tmp")
        path.rename(backup)
        path.write_text("saved by the first editor\n")
        backup.unlink()
        fresh.write_text("saved by the second editor\n")
        fresh.replace(path)
        backup.write_bytes(path.read_bytes())
        path.write_text("saved by the third editor, with a backup\n")


def fill_in_pieces(folder: Path, files: int, megabytes: int) -> None:
    """Files preallocated at their full size, filled piece by piece in a random order, renamed when they are whole."""
    chance = random.Random(SEED)
    for number in range(files):
        part = folder / f"film {number}.mkv.part"
        size = megabytes << 20
        with part.open("wb", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, size)
            places = list(range(0, size, PIECE))
            chance.shuffle(places)
            for place in places:
                os.pwrite(file.fileno(), b"\x01" * PIECE, place)
        part.rename(part.with_suffix(""))
