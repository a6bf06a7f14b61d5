"""A worker's slot: its static name in every group, held by one process at a time. Two under one name would take
turns for ever; the second is refused in one line.

    SlotTaken   another process holds the slot
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from runtime.errors import Locked
from runtime.lock_file import locked
from streams.errors import StreamsError

FOLDER = "streams"


class SlotTaken(StreamsError):
    """Give the second worker a slot of its own (`streams.slot`)."""

    def __init__(self, slot: str, path: Path, who: str) -> None:
        self.slot = slot
        self.path = path
        super().__init__(
            f"slot {slot} is taken by another stream worker{who}, which holds {path}: set another streams.slot"
        )


@contextlib.contextmanager
def slot_held(state_dir: Path, slot: str) -> Iterator[Path]:
    """Hold the slot; gives a folder of its own. The kernel lets go of it when the process ends, however it ends.
    Raises SlotTaken, OSError."""
    folder = state_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{slot}.lock"
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(path))
        except Locked as error:
            raise SlotTaken(slot, path, error.who) from error
        own = folder / slot
        own.mkdir(exist_ok=True)
        yield own
