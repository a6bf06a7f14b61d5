"""`catalogizer backup` and `catalogizer restore`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_json
from cli.options import AsJson
from cli.progress import Stages

PRIVATE = 0o077
"""A backup contains the accounts and every secret."""


def backup(
    folder: Annotated[Path, typer.Argument(help="Where to; a folder that is empty or does not exist yet.")],
    as_json: AsJson = False,
) -> None:
    """Back up the platform of this machine: log, catalogue, accounts, the producer's index and outbox, secrets.

    If `catalogizer up` is running, its components are stopped while the copy is made, and restarted automatically
    afterwards. For the embedded Kafka and PostgreSQL only.

    \b
    catalogizer backup /mnt/disk/catalogizer-monday
    """
    from cli.backup.making import make_backup
    from cli.settings import Settings
    from runtime.configuration import load

    os.umask(PRIVATE)
    made = make_backup(load(Settings), folder, Stages(hidden=as_json))
    manifest = made.manifest
    if as_json:
        print_json(
            {
                "folder": str(made.folder),
                "files": len(manifest.files),
                "bytes": manifest.size,
                "made_at": manifest.made_at,
                "seconds_at_rest": round(made.seconds_at_rest, 1),
            }
        )
    else:
        print(
            f"{made.folder}: {len(manifest.files)} files, {manifest.size / 1e6:.0f} MB, as of {manifest.made_at};"
            f" at rest for {made.seconds_at_rest:.1f} s"
        )


def restore(
    folder: Annotated[Path, typer.Argument(help="A backup, made by `catalogizer backup`.")],
    as_json: AsJson = False,
) -> None:
    """Restore a backup into the state folder (CATALOGIZER_STATE_DIR), which must be empty or absent.

    Every checksum is verified before anything is written. `catalogizer up` continues from there.

    \b
    CATALOGIZER_STATE_DIR=/srv/catalogizer catalogizer restore /mnt/disk/catalogizer-monday
    """
    from cli.backup.restoring import restore_backup
    from cli.settings import Settings
    from runtime.configuration import load

    os.umask(PRIVATE)
    state_dir = load(Settings).state_dir.absolute()
    manifest = restore_backup(folder, state_dir, Stages(hidden=as_json))
    if as_json:
        print_json(
            {
                "state_dir": str(state_dir),
                "files": len(manifest.files),
                "bytes": manifest.size,
                "made_at": manifest.made_at,
            }
        )
    else:
        print(f"{state_dir}: restored, as of {manifest.made_at}; continue with `catalogizer up`")
