"""Too little space is reported before anything begins, with the folder, the free and the needed space."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from cli.up.errors import DiskFull
from cli.up.space import need


def test_enough_room_is_enough(tmp_path: Path) -> None:
    need(tmp_path, shutil.disk_usage(tmp_path).free // 2, "it")


def test_too_little_room_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DiskFull) as caught:
        need(tmp_path, 10**18, "the platform")
    text = str(caught.value)
    assert text.startswith(f"{tmp_path}: the disk is full: ")
    assert re.search(r"[0-9]+ MB are free, the platform needs 1000000000000 MB$", text)
