"""The page: a few small files, read and compressed at the start and answered from memory.

Files that are read on request are read by threads, and while those run the event loop gets its turn some milliseconds later
each time: 900 readers of the page made everybody wait for a second.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

START = "index.html"
KINDS = frozenset({".css", ".html", ".js"})
"""Other files in the folder (a checkout's package files) do not belong to the page."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file in the form it is sent. `packed`: compressed with gzip (RFC 1952); each entity tag belongs to one of the
    two."""

    content: bytes
    packed: bytes
    media_type: str
    etag: str
    packed_etag: str


class WebPage:
    """The page's files, directly in a folder. There are no sockets here."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.name: _read(path) for path in files_of(folder)}

    def has(self, path: str) -> bool:
        """Whether there is a file at a request's path."""
        return _name(path) in self._files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or reject a handshake. Raises HTTPException."""
        if scope["type"] == "websocket":
            await Response(status_code=404)(scope, receive, send)
            return
        file = self._files.get(_name(scope["path"]))
        if file is None:
            raise HTTPException(404)
        if scope["method"] != "GET":
            raise HTTPException(405)
        request_headers = Request(scope).headers
        packs = takes_gzip(request_headers.get("accept-encoding", ""))
        etag = file.packed_etag if packs else file.etag
        known = request_headers.get("if-none-match", "")
        headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
            await Response(status_code=304, headers=headers)(scope, receive, send)
        else:
            content = file.packed if packs else file.content
            headers |= {"Content-Encoding": "gzip"} if packs else {}
            await Response(content, media_type=file.media_type, headers=headers)(scope, receive, send)


def files_of(folder: Path) -> list[Path]:
    """The page's files."""
    return [path for path in sorted(folder.iterdir()) if path.suffix in KINDS and path.is_file()]


def takes_gzip(accepted: str) -> bool:
    """Whether a client that sent this Accept-Encoding accepts gzip (RFC 9110, 12.5.3); a quality of 0 refuses it."""
    weights = {"gzip": 0.0, "*": 0.0}
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        name = {"x-gzip": "gzip"}.get(coding.strip(), coding.strip())
        try:
            weights[name] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            weights[name] = 0.0
    return (weights["gzip"] or ("gzip" not in accepted.lower() and weights["*"])) > 0


def _read(path: Path) -> PageFile:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    digest = hashlib.sha256(content).hexdigest()[:32]
    return PageFile(content, gzip.compress(content, mtime=0), kind, f'"{digest}"', f'"{digest}-gzip"')


def _name(path: str) -> str:
    return path.lstrip("/") or START
