"""Makes a backup: stops the platform's components, copies, lets them start again, and then computes the copy's checksums.

The backup is made under a temporary name beside the target and renamed as the last step.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cli.backup.copying import copy_out, described, listed, sync_folder
from cli.backup.errors import NothingHere, NotOurs, TargetTaken
from cli.backup.manifest import FORMAT, MANIFEST, Manifest
from cli.backup.resting import at_rest
from cli.progress import Stages
from cli.settings import Settings
from cli.up import space
from runtime.health import product_version
from schemas.times import iso

OWN_BROKERS = (
    "these brokers are your own. A mirror (MirrorMaker 2) keeps keys, values, headers, times and partitions of the"
    " records, but neither their offsets nor transactions, so cursors of clients and positions of projectors mean"
    " nothing there; what keeps them are replicas, and snapshots of the brokers' disks taken while they are stopped"
)
OWN_DATABASE = (
    "this database is your own. Dump it by pg_dump and copy the state folder while `catalogizer up` is ended, the dump"
    " first"
)
PART = ".{}.catalogizer-part"
"""The temporary name of an incomplete folder."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made. `seconds_at_rest`: for how long the platform did not run."""

    folder: Path
    manifest: Manifest
    seconds_at_rest: float


def make_backup(settings: Settings, target: Path, show: Stages) -> Made:
    """Back up the platform of the state folder. Raises BackupError, NotHeld, DiskFull, OSError; then no backup exists, and
    the platform runs as before."""
    if not settings.kafka.embedded:
        raise NotOurs(OWN_BROKERS)
    if settings.database.configured:
        raise NotOurs(OWN_DATABASE)
    state_dir, target = settings.state_dir.resolve(), target.absolute()
    if not (state_dir / "kafka" / "data").is_dir() or not (state_dir / "postgres" / "data").is_dir():
        raise NothingHere(state_dir)
    if target.resolve().is_relative_to(state_dir):
        raise TargetTaken(target, "lies in the state folder itself: name a place outside of it")
    check_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    space.need(target.parent, _size(state_dir), "the backup")  # before anything is stopped
    with part_of(target) as part:
        began = time.monotonic()
        with at_rest(state_dir) as state:
            made_at = iso(time.time_ns() // 1_000_000)
            found = list(listed(state.folder))
            with show.stage("copying", len(found)) as advance:
                copy_out(state.folder, part, found, advance)
            copied = time.monotonic()
        with show.stage("computing checksums", len(found)) as advance:
            folders, files = described(part, found, advance)
        manifest = Manifest(FORMAT, product_version(), made_at, folders, files)
        with (part / MANIFEST).open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        put_in_place(part, target)
    return Made(target, manifest, copied - began)


def check_free(target: Path) -> None:
    """Return if the folder is absent or empty. Raises TargetTaken, OSError."""
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise TargetTaken(target, "is not empty: name an empty or a new folder")
    if target.is_mount():
        raise TargetTaken(target, "is a mount point: name a folder in it")


@contextmanager
def part_of(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, locked by this process; it is removed after the block unless it was renamed. What a
    killed process left there is removed first. Raises TargetTaken, OSError."""
    part = target.with_name(PART.format(target.name))
    part.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TargetTaken(target, "another command is writing there") from error
        for entry in part.iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        try:
            yield part
        finally:
            if part.exists():
                shutil.rmtree(part)
    finally:
        os.close(descriptor)


def put_in_place(part: Path, target: Path) -> None:
    """Rename the complete folder to its final name. Raises OSError."""
    sync_folder(part)
    part.rename(target)
    sync_folder(target.parent)


def _size(state_dir: Path) -> int:
    """Bytes to copy, roughly: the platform may be running."""
    size = 0
    for path, entry in _listed_while_it_changes(state_dir):
        size += entry.st_size if stat.S_ISREG(entry.st_mode) and path else 0
    return size


def _listed_while_it_changes(state_dir: Path) -> Iterator[tuple[str, os.stat_result]]:
    for folder, folders, files in os.walk(state_dir):
        for name in (*folders, *files):
            try:
                yield name, (Path(folder) / name).lstat()
            except FileNotFoundError:
                continue  # a segment or a spill file that was deleted meanwhile
