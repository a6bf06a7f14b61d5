"""A component held by another process: a check does not disturb the process that holds it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from cli.up.errors import NotHeld
from cli.up.supervision.hold import held, is_held

ROUNDS = 300


def test_a_check_does_not_keep_others_from_holding(tmp_path: Path) -> None:
    lock, ended = tmp_path / "project", threading.Event()
    lock.touch()

    def ask() -> None:
        while not ended.is_set():
            is_held(lock)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(ROUNDS):
            with held(lock, tmp_path, None):
                pass
    finally:
        ended.set()
        asking.join()


def test_what_is_held_is_held_for_everybody_else_and_free_afterwards(tmp_path: Path) -> None:
    lock = tmp_path / "project"
    assert not is_held(lock)
    with held(lock, tmp_path, None):
        assert is_held(lock)
        with pytest.raises(NotHeld, match="has taken it already"), held(lock, tmp_path, None):
            pass
    assert not is_held(lock)
