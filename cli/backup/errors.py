"""Why a backup cannot be made or restored; each error is one line.

BackupError        (a `CommandError`)
├── NotOurs        log or database are on the user's own servers: a copy of the state folder would not contain them
├── NothingHere    the state folder contains no platform
├── Unsteady       the platform is starting, or a part of it was started during the backup (retryable)
├── TargetTaken    the folder for the backup, or for the restored state, is in use
├── CannotCopy     the state folder contains something that cannot be copied
├── Damaged        the backup differs from what was written
└── NewerBackup    a later minor version of the program made the backup
"""

from __future__ import annotations

from pathlib import Path

from cli.errors import CommandError


class BackupError(CommandError):
    """Base of these errors; its text is the line shown."""


class NotOurs(BackupError):
    """`reason`: what is elsewhere, and how to back that up."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"backup is for the embedded Kafka and PostgreSQL: {reason}")


class NothingHere(BackupError):
    """`state_dir`: where nothing was found."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        super().__init__(f"{state_dir} holds no log and no catalogue: set CATALOGIZER_STATE_DIR")


class Unsteady(BackupError):
    """`what`: what was found."""

    retryable = True

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: repeat the command once the platform is ready, or end it and repeat it then")


class TargetTaken(BackupError):
    """`path`: the folder; `what`: the problem with it, and what to do."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        super().__init__(f"{path}: {what}")


class CannotCopy(BackupError):
    """`path`: in the state folder."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        super().__init__(f"{path}: {what}")


class Damaged(BackupError):
    """`path`: the first file that differs from what was written; `what`: the difference."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        super().__init__(f"{path}: {what}: nothing was restored")


class NewerBackup(BackupError):
    """`found`: the version that made the backup; `ours`: this program's."""

    def __init__(self, folder: Path, found: str, ours: str) -> None:
        self.found = found
        super().__init__(
            f"{folder} was made by version {found}, and this is {ours}, which may not be able to read it: restore it with"
            f" {found} or a later version; nothing was restored"
        )
