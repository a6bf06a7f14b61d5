"""Which file system a directory is on, from the kernel's own table."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from producer.backends.local.mounted import TABLE

NODEV = Path("/proc/filesystems")


@dataclass(frozen=True, slots=True)
class FileSystem:
    """`type`: the kernel's name of it, empty where that cannot be found out; `has_device`: it is on a device of this
    machine."""

    type: str
    has_device: bool = True


def file_system_of(directory: Path) -> FileSystem:
    """The one that the directory is on now. Raises nothing."""
    try:
        mount = _mount_of(directory)
        lines = TABLE.read_text(errors="surrogateescape").splitlines()
        types = NODEV.read_text().splitlines()
    except OSError:
        return FileSystem("")
    for line in lines:
        place, _, kind = line.partition(" - ")
        if place.split(" ", 1)[0] == mount:
            type_ = kind.split(" ", 1)[0]
            return FileSystem(type_, f"\t{type_}" in types)
    return FileSystem("")


def _mount_of(directory: Path) -> str:
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        info = Path(f"/proc/self/fdinfo/{descriptor}").read_text()
    finally:
        os.close(descriptor)
    return next((line.split()[1] for line in info.splitlines() if line.startswith("mnt_id:")), "")
