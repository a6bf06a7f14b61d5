"""Books and comics as the probe reads them: the reply, and what is in it."""

from __future__ import annotations

import io
from pathlib import Path

from schemas.found import Found, Tags
from streams.analysis import probe
from streams.analysis.wire import Reply, Request


def read(source: Path | bytes, name: str | None = None) -> Reply:
    """Probe a file, or these bytes under a name."""
    if isinstance(source, bytes):
        return probe.probe(io.BytesIO(source), Request("book", name or ""))
    with source.open("rb") as file:
        return probe.probe(file, Request("book", name or source.name))


def found(reply: Reply) -> Found:
    assert reply.status == "done", reply.reason
    assert reply.found is not None
    return reply.found


def tags(reply: Reply) -> Tags:
    tags = found(reply).tags
    assert tags is not None, reply
    return tags


def size(reply: Reply) -> tuple[int, int] | None:
    return None if reply.picture is None else (reply.picture.width, reply.picture.height)


def failure(reply: Reply) -> str:
    assert (reply.status, reply.found) == ("failed", None)
    assert reply.reason
    return reply.reason
