"""Copies the files of a backup, makes the copies durable, and verifies them by checksum.

The caller makes sure that nothing writes to these files meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from cli.backup.errors import CannotCopy, Damaged
from cli.backup.manifest import CONTENTS, MANIFEST, FileEntry, FolderEntry, Manifest
from cli.progress import Advance
from cli.up.supervision.program import SystemUser

MADE_AGAIN = frozenset(
    {
        "holds",
        "kafka/data.new",
        "kafka/jars",
        "kafka/log",
        "kafka/log4j2.yaml",
        "kafka/out.log",
        "kafka/server.properties",
        "lock",
        "logs",
        "ports",
        "postgres/data.new",
        "postgres/data/postmaster.pid",
        "postgres/out.log",
        "ready",
        "run.json",
        "run.part",
    }
)
"""Left out: files that are recreated at a start, and logs and state of a run."""
POSTGRES_DATA = "postgres/data"
"""Belongs to the server's user."""
_PRIVATE = 0o700


def listed(state: Path) -> Iterator[tuple[str, os.stat_result]]:
    """All folders and files that belong to a backup of this folder, each after its parent folder. A link to a file counts
    as the file. Raises CannotCopy, OSError."""
    pending = [""]
    while pending:
        for entry in sorted(os.scandir(state / pending.pop()), key=lambda entry: entry.name):
            path = Path(entry.path).relative_to(state).as_posix()
            if path in MADE_AGAIN:
                continue
            found = entry.stat()
            if stat.S_ISDIR(found.st_mode):
                if entry.is_symlink():
                    raise CannotCopy(Path(entry.path), "is a link to a folder: put the folder itself there")
                pending.append(path)
            elif not stat.S_ISREG(found.st_mode):
                raise CannotCopy(Path(entry.path), "is neither a file nor a folder: move it away")
            yield path, found


def copy_out(state: Path, backup: Path, found: Sequence[tuple[str, os.stat_result]], advance: Advance) -> None:
    """Copy what was listed. The copies are accessible to their owner only. Raises OSError."""
    target = backup / CONTENTS
    target.mkdir(mode=_PRIVATE)
    for path, entry in found:
        if stat.S_ISDIR(entry.st_mode):
            (target / path).mkdir(mode=_PRIVATE)
        else:
            shutil.copyfile(state / path, target / path)
            (target / path).chmod(0o600)
        advance(1)


def described(
    backup: Path, found: Sequence[tuple[str, os.stat_result]], advance: Advance
) -> tuple[list[FolderEntry], list[FileEntry]]:
    """Manifest entries of what was copied, with checksums of the copies, which are synced to disk. Raises OSError."""
    folders, files = [], []
    for path, entry in found:
        mode, copied = stat.S_IMODE(entry.st_mode), backup / CONTENTS / path
        if stat.S_ISDIR(entry.st_mode):
            folders.append(FolderEntry(path, mode))
        else:
            sha256 = _checksum(copied, durable=True)
            files.append(FileEntry(path, mode, copied.stat().st_size, entry.st_mtime_ns, sha256))
        advance(1)
    for folder in (*(backup / CONTENTS / folder.path for folder in folders), backup / CONTENTS):
        sync_folder(folder)
    return folders, files


def verify(backup: Path, manifest: Manifest, advance: Advance) -> None:
    """Return if the backup matches its manifest exactly. Raises Damaged, OSError."""
    contents = backup / CONTENTS
    for entry in manifest.files:
        path = contents / entry.path
        if path.is_symlink() or not path.is_file():
            raise Damaged(path, "is missing in the backup")
        if path.stat().st_size != entry.size or _checksum(path) != entry.sha256:
            raise Damaged(path, "is not what was written (its checksum differs)")
        advance(1)
    known = {MANIFEST, CONTENTS, *(f"{CONTENTS}/{name}" for name in manifest.paths)}
    for path in backup.rglob("*"):
        if path.relative_to(backup).as_posix() not in known:
            raise Damaged(path, "is not of the backup")


def copy_in(
    backup: Path, target: Path, manifest: Manifest, database_user: SystemUser | None, advance: Advance
) -> None:
    """Copy a verified backup into an empty folder with the original modes and times; the database's files are owned by the
    user under whom its server runs. Everything is synced to disk on return. Raises OSError."""
    for folder in manifest.folders:
        (target / folder.path).mkdir(mode=_PRIVATE)
    for file in manifest.files:
        path = target / file.path
        shutil.copyfile(backup / CONTENTS / file.path, path)
        _own(path, file.path, database_user)
        path.chmod(file.mode)
        os.utime(path, ns=(file.modified_ns, file.modified_ns))
        _sync(path)
        advance(1)
    for folder in reversed(manifest.folders):  # the innermost first: a mode may close a folder
        path = target / folder.path
        sync_folder(path)
        _own(path, folder.path, database_user)
        path.chmod(folder.mode)


def sync_folder(path: Path) -> None:
    """Sync the folder's names to disk. Raises OSError."""
    _sync(path)


def _own(path: Path, name: str, user: SystemUser | None) -> None:
    if user is not None and (name == POSTGRES_DATA or name.startswith(f"{POSTGRES_DATA}/")):
        os.chown(path, user.uid, user.gid)


def _checksum(path: Path, *, durable: bool = False) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if durable:
            os.fsync(file.fileno())
    return digest


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
