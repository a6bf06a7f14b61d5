"""A path is bytes and is transferred exactly.

Inside, a path is a `str` decoded with `surrogateescape` (Python's own file-system convention, PEP 383):
relative to its root, `/` between components, no leading slash, `""` the root itself. On the wire it is a
display string, plus the exact bytes in base64 (`path_b64`) only where they are not UTF-8. It is never
lower-cased and never normalised.
"""

from __future__ import annotations

import base64
import binascii


def to_wire(path: str) -> tuple[str, str | None]:
    """Split a path into (display, base64 of the bytes or None). The display has U+FFFD for foreign bytes."""
    if path.isascii():
        return path, None
    try:
        path.encode()
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "surrogateescape")
        return raw.decode("utf-8", "replace"), base64.b64encode(raw).decode("ascii")
    return path, None


def from_wire(display: str, b64: str | None) -> str:
    """Join what `to_wire` split. Raises ValueError when the base64 is not base64."""
    if b64 is None:
        return display
    try:
        raw = base64.b64decode(b64, validate=True)
    except binascii.Error as error:
        raise ValueError(f"path_b64 is not base64: {error}") from error
    return raw.decode("utf-8", "surrogateescape")


def display(path: str) -> str:
    """The path as it may be shown: foreign bytes become U+FFFD."""
    return to_wire(path)[0]


def is_inside(path: str, directory: str) -> bool:
    """True when `path` is `directory` or below it (everything is below `""`)."""
    return not directory or path == directory or path.startswith(directory + "/")
