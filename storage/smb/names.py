"""Names on the wire are UTF-16 and on disk mostly UTF-8; here a path is what it would be on a disk.

A share read over the network then has the same paths as on its own disk: half of a surrogate pair, which UTF-16 may contain
alone, becomes the three bytes that a UTF-8 disk has for it, carried like all that is not UTF-8. A path that cannot be such a
name is on no share."""

from __future__ import annotations

import os

FORBIDDEN = frozenset('"*/:<>?\\|') | {chr(code) for code in range(32)}
"""In no name on the wire: a server shows a file with such a character under another name."""


def from_wire(name: bytes) -> str:
    """A name in the form that paths have."""
    try:
        text = name.decode("utf-16-le")
        text.encode()
    except UnicodeError:
        return os.fsdecode(name.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass"))
    return text


def to_wire(path: str) -> bytes | None:
    """A path from the share on, `/` between names; None: it can be on no share."""
    if any(FORBIDDEN & set(name) for name in path.split("/")):
        return None
    try:
        text = os.fsencode(path).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    return text.replace("/", "\\").encode("utf-16-le", "surrogatepass")
