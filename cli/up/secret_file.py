"""Secrets that are generated once and kept, each in a file that only its owner can read, complete or absent, also
after a power cut."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

_BYTES = 18


def kept_secret(path: Path, size: int = _BYTES) -> str:
    """The secret in the file, generated on first use from `size` random bytes; of several processes at once, one generates
    it. Raises OSError."""
    if not path.exists():
        part = _part(path, secrets.token_urlsafe(size))
        with suppress(FileExistsError):
            path.hardlink_to(part)
        part.unlink()
    return path.read_text().strip()


def keep(path: Path, secret: str) -> None:
    """Write a secret to a file of mode 0600, atomically, replacing what was there."""
    _part(path, secret).replace(path)


def _part(path: Path, secret: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
    return part
