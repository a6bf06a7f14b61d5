"""The manifest of a backup: each folder and file with mode, size, time and checksum. Pure, except for reading one file."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from cli.backup.errors import Damaged

FORMAT = 1
MANIFEST = "manifest.json"
CONTENTS = "state"
"""The folder, beside the manifest, that has the files."""


class FolderEntry(Struct, frozen=True):
    """A folder. `path`: below the state folder, with slashes; `mode`: its permissions."""

    path: str
    mode: int


class FileEntry(Struct, frozen=True):
    """A file. `size` in bytes; `modified_ns`: ns since 1970; `sha256`: in hex."""

    path: str
    mode: int
    size: int
    modified_ns: int
    sha256: str


class Manifest(Struct, frozen=True):
    """A backup. `made_at`: when its files were copied, ISO 8601; `version`: of the program that made it. Folders come
    before what is in them."""

    format: int
    version: str
    made_at: str
    folders: list[FolderEntry]
    files: list[FileEntry]

    @property
    def paths(self) -> list[str]:
        """Of all folders and files."""
        return [*(folder.path for folder in self.folders), *(file.path for file in self.files)]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def read_manifest(backup: Path) -> Manifest:
    """The manifest of a backup. Raises Damaged if there is none that this program can use, OSError."""
    path = backup / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise Damaged(backup, "this is no backup, or not a whole one") from None
    except msgspec.DecodeError as error:
        raise Damaged(path, f"cannot be read ({error})") from error
    if manifest.format != FORMAT:
        raise Damaged(path, f"format {manifest.format} is not known to this program")
    for name in manifest.paths:
        if not _inside(name):
            raise Damaged(path, f"{name!r} leads out of the backup")
    return manifest


def _inside(path: str) -> bool:
    parts = PurePosixPath(path)
    return bool(parts.parts) and not parts.is_absolute() and ".." not in parts.parts
