"""Every generated file of the repository, from one command.

`python -m tools.generate` writes them; with `--check` it writes nothing and exits 1 where a file differs from what
would be written, or should not exist.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools import ROOT, dashboard, deployments, documents, licences, records, typescript
from tools.asyncapi import document as asyncapi
from tools.image import lock as image_lock
from tools.terraform import pages, table


def files(root: Path = ROOT) -> dict[Path, str]:
    """Every generated file, relative to the project's folder, with its text. Raises ToolError."""
    found = records.files() | asyncapi.files() | typescript.files() | table.files() | dashboard.files()
    found |= image_lock.files(root) | deployments.files()
    return found | documents.files(root) | licences.files(root) | pages.files(root)


def drifted(root: Path = ROOT) -> list[Path]:
    """The files that differ from what would be written, and those that should not exist."""
    wanted = files(root)
    differing = [path for path, text in wanted.items() if not _is(root / path, text)]
    there = {path.relative_to(root) for path in (root / records.JSON_FOLDER).glob("*.json")}
    return sorted([*differing, *(there - wanted.keys())])


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write, or with `--check` compare; the exit code."""
    found = drifted(root)
    if "--check" in arguments:
        for path in found:
            print(f"{path} is out of date: run `python -m tools.generate`", file=sys.stderr)
        return 1 if found else 0
    wanted = files(root)
    for path in found:
        if path not in wanted:  # the schema of a topic that no longer exists
            (root / path).unlink()
            continue
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(wanted[path])
    return 0


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
