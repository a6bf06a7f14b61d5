"""Why a backup cannot be made or restored; each error is one line.

BackupError        (a `CommandError`)
├── NotOurs        log or database are on servers of the user's own: a copy of the state folder would not hold them
├── NothingHere    the state folder holds no platform
├── Unsteady       the platform is starting, or a part of it was started during the backup (retryable)
├── TargetTaken    the place for the backup, or for what is restored, is in use
├── CannotCopy     the state folder holds what cannot be copied
└── Damaged        a backup that is not as it was written
"""

from __future__ import annotations

from pathlib import Path

from cli.errors import CommandError


class BackupError(CommandError):
    """Root of the tree; its text is the line shown."""


class NotOurs(BackupError):
    """`reason`: what is elsewhere, and how that is kept."""

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
    """`path`: the folder; `what`: what is the matter with it, and what to do."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        super().__init__(f"{path}: {what}")


class CannotCopy(BackupError):
    """`path`: in the state folder."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        super().__init__(f"{path}: {what}")


class Damaged(BackupError):
    """`path`: the first file that is not as it was written; `what`: how."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        super().__init__(f"{path}: {what}: nothing was restored")
