"""A reader's view of the log, and what is on the disk: two small models that share nothing with the producer.

A reader takes the latest observation of each path; a move takes what is below along; a fingerprint is valid until the path
is observed again."""

from __future__ import annotations

import json
import os
import stat
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

SAMPLE = 65_536


@dataclass(frozen=True, slots=True)
class Thing:
    """What is at a path. Size and time of a directory do not count. `content`: a regular file's fingerprint."""

    kind: str
    size: int
    mtime_ns: int
    content: str | None

    def __str__(self) -> str:
        return f"{self.kind} size={self.size} mtime={self.mtime_ns} content={(self.content or '-')[:8]}"


Tree = dict[bytes, Thing]


class RecordReader:
    """Applies records one after another, in the order of the log."""

    def __init__(self) -> None:
        self.tree: Tree = {}
        self.count = 0

    def read(self, record: bytes) -> None:
        """Apply it."""
        fields = json.loads(record)
        self.count += 1
        match fields["kind"]:
            case "observed" if fields["file"] is None:
                self.tree.pop(path_of(fields, "path"), None)
            case "observed":
                self.tree[path_of(fields, "path")] = _thing(fields["file"])
            case "moved":
                self._move(path_of(fields, "from_path"), path_of(fields, "path"), _thing(fields["file"]))
            case "fingerprint":
                self._print(path_of(fields, "path"), fields["xxh3"])

    def _move(self, source: bytes, target: bytes, thing: Thing) -> None:
        before = self.tree.pop(source, None)
        if before is not None and (before.size, before.mtime_ns) == (thing.size, thing.mtime_ns):
            thing = Thing(thing.kind, thing.size, thing.mtime_ns, before.content)
        self.tree[target] = thing
        for path in [path for path in self.tree if path.startswith(source + b"/")]:
            self.tree[target + path[len(source) :]] = self.tree.pop(path)

    def _print(self, path: bytes, content: str) -> None:
        thing = self.tree.get(path)
        if thing is not None:
            self.tree[path] = Thing(thing.kind, thing.size, thing.mtime_ns, content)


def path_of(fields: dict[str, Any], key: str) -> bytes:
    """The exact path in a record."""
    exact = fields.get(f"{key}_b64")
    return b64decode(exact) if exact else fields[key].encode()


def _thing(state: dict[str, Any]) -> Thing:
    kind = state["type"]
    return Thing(kind, 0, 0, None) if kind == "dir" else Thing(kind, state["size"], state["mtime_ns"], None)


def walk(root: Path, grain_ns: int = 1) -> Tree:
    """The disk, by a walk of its own. `grain_ns`: the resolution of times."""
    return {os.fsencode(path.relative_to(root)): _seen(path, status, grain_ns) for path, status in _below(root)}


def shared(root: Path, links: Mapping[int, int]) -> set[bytes]:
    """Files that have, or had, a name outside of the root as well: writes through that name are not reported.
    `links`: how many links were made, by inode."""
    entries = list(_below(root))
    names = Counter(status.st_ino for _, status in entries)
    return {
        os.fsencode(path.relative_to(root))
        for path, status in entries
        if not stat.S_ISDIR(status.st_mode) and links.get(status.st_ino, 0) + 1 > names[status.st_ino]
    }


def _below(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in directory.iterdir():
        status = path.lstat()
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            yield from _below(path)


def _seen(path: Path, status: os.stat_result, grain_ns: int) -> Thing:
    if stat.S_ISDIR(status.st_mode):
        return Thing("dir", 0, 0, None)
    kind = "file" if stat.S_ISREG(status.st_mode) else "symlink" if stat.S_ISLNK(status.st_mode) else "other"
    mtime_ns = status.st_mtime_ns // grain_ns * grain_ns
    return Thing(kind, status.st_size, mtime_ns, _content(path) if kind == "file" else None)


def _content(path: Path) -> str:
    data = path.read_bytes()
    size = len(data)
    if size > 3 * SAMPLE:
        middle = (size - SAMPLE) // 2
        data = data[:SAMPLE] + data[middle : middle + SAMPLE] + data[-SAMPLE:]
    return xxhash.xxh3_128_hexdigest(size.to_bytes(8, "little") + data)


def differences(recorded: Tree, there: Tree, shared: Set[bytes] = frozenset()) -> list[str]:
    """A line for each path where they differ; of those in `shared` only the kind of entry is compared."""
    return [
        f"{os.fsdecode(path)}: recorded {recorded.get(path, 'nothing')}, there is {there.get(path, 'nothing')}"
        for path in sorted(recorded.keys() | there.keys())
        if recorded.get(path) != there.get(path)
        and not (path in shared and path in recorded and recorded[path].kind == there[path].kind)
    ]


def outdated(recorded: Tree, there: Tree, shared: Set[bytes]) -> Iterator[str]:
    """Files that differ from the log because they were written to under an unwatched name: until they are examined, nothing
    shows that they are the same files, should they be moved unseen."""
    for path in shared & recorded.keys() & there.keys():
        if recorded[path] != there[path]:
            yield os.fsdecode(path)


def read_all(records: Iterable[bytes]) -> Tree:
    """A reader's view after all of them."""
    reader = RecordReader()
    for record in records:
        reader.read(record)
    return reader.tree
