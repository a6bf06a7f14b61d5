"""Roots declared by files that may change while the platform runs: a folder with one TOML file for each root, named after
it. Each file is read on its own: a fault in one does not affect the others."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUFFIX = ".toml"
MAX_BYTES = 65_536
DEFAULT_FOLDER = "roots.d"
"""The default folder, below the state folder."""


@dataclass(frozen=True, slots=True)
class RootFile:
    """One file. `table`: its contents; None if it cannot be read, with the reason in `fault`."""

    path: Path
    table: Mapping[str, Any] | None
    fault: str = ""


class RootFiles:
    """The files of a folder; a missing folder has none. A file is read again only if its inode, size or times have
    changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, tuple[tuple[int, ...], RootFile]] = {}

    def read(self) -> dict[str, RootFile]:
        """All files as they are now, by the root's name. Raises OSError if the folder cannot be listed."""
        before, self._read = self._read, {}
        for name, path in sorted(_files(self.folder)):
            stamp = _stamp(path)
            kept = before.get(name)
            self._read[name] = kept if kept is not None and kept[0] == stamp else (stamp, _file(path))
        return {name: file for name, (_, file) in self._read.items()}


def table_of(folder: Path, root: str, site: str) -> Mapping[str, Any] | None:
    """The declaration of the root in the folder, if there is one for this site."""
    file = folder / f"{root}{SUFFIX}"
    table = _file(file).table if "/" not in root and file.exists() else None
    return None if table is None or table.get("site", site) != site else table


def write(folder: Path, root: str, table: Mapping[str, str | int | list[str]]) -> Path:
    """Declare a root or change its declaration, atomically. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{root}{SUFFIX}"
    part = folder / f".{root}.part"  # files with a leading dot are not read as declarations
    lines = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())
    with part.open("w", encoding="utf-8") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return path


def remove(folder: Path, root: str) -> bool:
    """Remove the declaration; False if there was none. Raises OSError."""
    try:
        (folder / f"{root}{SUFFIX}").unlink()
    except FileNotFoundError:
        return False
    return True


def _files(folder: Path) -> list[tuple[str, Path]]:
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return []
    return [(path.stem, path) for path in paths if path.suffix == SUFFIX and not path.name.startswith(".")]


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _file(path: Path) -> RootFile:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return RootFile(path, None, "is not a regular file")
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            return RootFile(path, None, f"is longer than {MAX_BYTES} bytes")
        return RootFile(path, tomllib.loads(content.decode()))
    except OSError as error:
        return RootFile(path, None, error.strerror or str(error))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return RootFile(path, None, f"is not TOML: {error}")
