"""What can go wrong with a share.

StorageError
├── ShareFault   the share as a whole cannot be used now (retryable); `cause` gives the reason
└── Unreadable   one path of a usable share cannot be read (retryable)
"""

from __future__ import annotations

from typing import Literal

ShareCause = Literal["unreachable", "refused", "missing", "not_a_directory", "unsupported"]
"""`unreachable`: the server does not answer, or no longer; `refused`: it does not let us in; `missing`: no such share or
folder; `unsupported`: it is there, but uses something that is not supported here."""


class StorageError(Exception):
    """Root of the tree."""

    retryable = True


class ShareFault(StorageError):
    """Nothing is known of any path on the share. `detail` is for people."""

    def __init__(self, cause: ShareCause, detail: str) -> None:
        self.cause: ShareCause = cause
        self.detail = detail
        super().__init__(f"{cause}: {detail}")


class Unreadable(StorageError):
    """Something may be at the path or not: nothing is known of it."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path!r}: {reason}")
