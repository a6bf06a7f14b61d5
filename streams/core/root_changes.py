"""What is published of a root itself: that it is declared, lost, back or retired, and where changes may have been
missed."""

from __future__ import annotations

from typing import Literal

from schemas.changes import GapChanged, RootChanged
from schemas.paths import display
from schemas.raw import Counts
from streams.core.emit import Emitter
from streams.core.roots import Jump
from streams.core.state import Root


def root_changed(
    emit: Emitter,
    root: Root,
    state: Literal["declared", "lost", "back", "retired"],
    cause: str | None,
    trace: bytes | None,
) -> None:
    """Publish a root's state. A declaration contains the settings as well."""
    declared = state == "declared"
    emit.change(
        RootChanged(
            library=root.library, root=root.name, at=emit.at, state=state, epoch=root.epoch, cause=cause,
            site=root.site if declared else None, protocol=root.protocol if declared else None,
            location=root.location if declared else None, identity=root.identity if declared else None,
        ),
        "root_changed",
        root.name,
        trace,
    )  # fmt: skip


def gap_changed(
    emit: Emitter, root: Root, state: Literal["open", "closed"], cause: str, trace: bytes | None, *,
    subtree: str = "", jump: Jump | None = None, counts: Counts | None = None,
) -> None:  # fmt: skip
    """Publish that changes may have been missed below `subtree`, or that the gap is closed."""
    emit.change(
        GapChanged(
            library=root.library, root=root.name, at=emit.at, state=state, cause=cause, subtree=display(subtree),
            first_seq=None if jump is None else jump.first, last_seq=None if jump is None else jump.last,
            counts=counts,
        ),
        "gap_changed",
        root.name,
        trace,
    )  # fmt: skip
