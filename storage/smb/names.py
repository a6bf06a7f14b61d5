"""Names on the wire are UTF-16 and on disk mostly UTF-8; here a path is what it would be on a disk.

A share that is read over the network then has the paths that it has where it lies: half of a surrogate pair, which UTF-16
may carry alone, is the three bytes that a UTF-8 disk holds for it, carried like all that is not UTF-8. A path of which no
such name can be is none that a share has."""

from __future__ import annotations

import os

FORBIDDEN = frozenset('"*/:<>?\\|') | {chr(code) for code in range(32)}
"""In no name on the wire: a server shows what has them under another name."""


def from_wire(name: bytes) -> str:
    """A name as paths have it."""
    try:
        text = name.decode("utf-16-le")
        text.encode()
    except UnicodeError:
        return os.fsdecode(name.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass"))
    return text


def to_wire(path: str) -> bytes | None:
    """A path from the share on, `/` between names; None: no share can have it."""
    if any(FORBIDDEN & set(name) for name in path.split("/")):
        return None
    try:
        text = os.fsencode(path).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    return text.replace("/", "\\").encode("utf-16-le", "surrogatepass")
