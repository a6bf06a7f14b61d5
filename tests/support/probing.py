"""A file read by the readers, in the test's own process."""

from __future__ import annotations

from pathlib import Path

from schemas.found import Found, MediaType
from streams.analysis import probe
from streams.analysis.wire import Reply, Request


def read(path: Path, kind: MediaType, name: str | None = None) -> Reply:
    """The reply; `name`: the name to probe it under, if it differs."""
    with path.open("rb") as file:
        return probe.probe(file, Request(kind, name or path.name))


def found(path: Path, kind: MediaType = "video", name: str | None = None) -> Found:
    """What is found in a file that can be read."""
    reply = read(path, kind, name)
    assert reply.status == "done", reply.reason
    assert reply.found is not None
    return reply.found
