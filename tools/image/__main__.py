"""`python -m tools.image`: builds the image twice, checks its files, compares the two and tests one; prints figures.

`--once` builds it once and compares nothing. `--pin` builds nothing: it resolves the image names in Containerfile and
docker-compose.yml to digests at a registry, and writes them there. The exit code is 1 if any check fails.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools import ROOT
from tools.errors import BadImage, ToolError
from tools.image import building, pins, trying
from tools.image.judging import Inventory, differences, digest_of, findings, inventory, size_of

SHOWN_DIFFERENCES = 20


def main(arguments: Sequence[str]) -> int:
    """Run as the module's docstring describes; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.image", description=__doc__)
    parser.add_argument("--once", action="store_true", help="build once, compare nothing")
    parser.add_argument("--pin", action="store_true", help="write the digests of the images that others make")
    options = parser.parse_args(arguments)
    try:
        if options.pin:
            pins.write(ROOT)
        else:
            _prove(1 if options.once else 2)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _prove(builds: int) -> None:
    building.check_tools()
    store = building.Store(Path(tempfile.mkdtemp(prefix="catalogizer-image-")))
    try:
        found = list(_found(store, builds))
    finally:
        store.remove()
    if found:
        raise BadImage(*found)


def _found(store: building.Store, builds: int) -> Iterator[str]:
    with _timed("base"):
        building.make_base(store)
    epoch = _time_of_commit()
    trees: list[Inventory] = []
    for number in range(1, builds + 1):
        with _timed(f"build {number}"):
            image = building.build(store, f"build-{number}", epoch)
        trees.append(inventory(building.opened(store, image)))
        files, size = len(trees[-1]), size_of(trees[-1])
        print(f"build {number}: {files} files, {size / 1e6:.1f} MB, sha256 {digest_of(trees[-1])}")
    yield from findings(trees[0])
    if different := sorted({path for tree in trees[1:] for path in differences(trees[0], tree)}):
        yield from (f"{path} differs between two builds" for path in different[:SHOWN_DIFFERENCES])
        yield f"{len(different)} files differ"
    with _timed("trying"):
        yield from trying.findings(trying.opened(store, f"{building.NAME}:build-1"))
    print(f"tried: {len(trying.commands())} commands' help, health, read-only root, shared objects")


def _time_of_commit() -> int:
    """Seconds since 1970 of the checked-out commit: the image gets the time of its sources."""
    printed = building.run("the time of the commit", ["git", "log", "-1", "--format=%ct"])
    return int(printed)


class _timed:
    """Prints how long a block took."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        self._start = time.monotonic()

    def __exit__(self, *_error: object) -> None:
        print(f"{self._what}: {time.monotonic() - self._start:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
