"""What a test of a watch needs on the machine; if it is missing the test is skipped with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.backends.fanotify.watch import FanotifyWatch
from producer.errors import WatchUnavailable


def need_fanotify(folder: Path) -> None:
    """Skip where this process may not watch the folder's file system as a whole."""
    try:
        FanotifyWatch(folder, lambda: None).close()
    except WatchUnavailable as error:
        pytest.skip(f"fanotify cannot be had: {error.reason}")
