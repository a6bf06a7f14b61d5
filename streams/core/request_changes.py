"""What is published of an analysis on request: its start, its progress and its end."""

from __future__ import annotations

from typing import Literal

from schemas.changes import AnalysisRequestChanged
from schemas.paths import display
from streams.core.emit import Emitter
from streams.core.state import Request, Tally

RequestState = Literal["started", "progress", "paused", "resumed", "repeated", "finished", "cancelled"]


def request_changed(
    emit: Emitter, request: Request, tally: Tally, state: RequestState, trace: bytes | None
) -> None:
    """Publish a request's state with its current counts."""
    emit.change(
        AnalysisRequestChanged(
            library=request.library, root=request.root, at=emit.at, request=request.id, state=state,
            reason=request.reason, by=request.by, subtree=display(request.subtree),
            media_types=request.media_types, statuses=request.statuses, matched=request.matched,
            asked=request.asked, processed=tally.processed, identified=tally.identified, failed=tally.failed,
        ),
        "analysis_request_changed",
        request.root,
        trace,
    )  # fmt: skip
