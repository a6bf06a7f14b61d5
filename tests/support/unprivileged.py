"""Tests of what an ordinary user may not read, also where they are run by root, who may read everything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

USER = 65_534
"""`nobody`, on Linux: it owns nothing."""


@contextmanager
def unprivileged() -> Iterator[Path]:
    """An empty folder; as root, it is another user's, and this process (all its threads) acts as that user until the end.
    Not below pytest's folder, which only root may enter."""
    with TemporaryDirectory(prefix="catalogizer-unprivileged-") as name:
        folder = Path(name)
        if (user := os.geteuid()) != 0:
            yield folder
            return
        os.chown(folder, USER, USER)
        os.seteuid(USER)
        try:
            yield folder
        finally:
            os.seteuid(user)
