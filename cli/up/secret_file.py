"""Secrets that are made once and kept: a file only its owner can read, complete or absent."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_BYTES = 18


def kept_secret(path: Path) -> str:
    """The secret of the file, made on first use. Raises OSError."""
    if not path.exists():
        keep(path, secrets.token_urlsafe(_BYTES))
    return path.read_text().strip()


def keep(path: Path, secret: str) -> None:
    """Put a secret into a file of mode 0600, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")
    part.replace(path)
