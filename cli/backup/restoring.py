"""Restores a backup into a state folder that is empty or absent; the complete folder is renamed into place."""

from __future__ import annotations

from pathlib import Path

from cli.backup.copying import copy_in, verify
from cli.backup.errors import NewerBackup
from cli.backup.making import check_free, part_of, put_in_place
from cli.backup.manifest import Manifest, read_manifest
from cli.progress import Stages
from cli.up import space
from cli.up.embedded import system_user
from cli.up.state_version import is_later, is_version
from runtime.health import product_version


def restore_backup(backup: Path, state_dir: Path, show: Stages) -> Manifest:
    """Verify every checksum, then restore. Raises BackupError, DiskFull, UpError, OSError; then the state folder is
    unchanged."""
    state_dir = state_dir.absolute()
    check_free(state_dir)
    manifest = read_manifest(backup)
    if is_version(manifest.version) and is_later(manifest.version):
        raise NewerBackup(backup, manifest.version, product_version())
    with show.stage("verifying", len(manifest.files)) as advance:
        verify(backup, manifest, advance)
    state_dir.parent.mkdir(parents=True, exist_ok=True)
    space.need(state_dir.parent, manifest.size, "the restored platform")
    with part_of(state_dir) as part:
        with show.stage("restoring", len(manifest.files)) as advance:
            copy_in(backup, part, manifest, system_user.for_server(), advance)
        put_in_place(part, state_dir)
    return manifest
