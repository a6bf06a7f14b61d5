"""The pages' built files (`web/built`), which are committed so that running needs no Node.

`python -m tools.web` builds them from `web/pages`, and with `--check` compares them with a fresh build and exits 1 if a
byte differs.

A build is the same everywhere: the packages are those of the lock file, and the output contains no times, paths or random
values.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import ROOT
from tools.errors import PagesNotBuilt

BUILT = Path("web/built")
SOURCES = Path("web/pages")
BUILD_SECONDS = 120.0


def build(folder: Path, root: Path = ROOT) -> None:
    """Check the types and build into a folder. Raises PagesNotBuilt with the tool's output."""
    beside = str(Path(sys.executable).parent)  # the set-up installs Node there if the machine has none
    environment = os.environ | {
        "PATH": os.pathsep.join((os.environ.get("PATH", os.defpath), beside)), "CATALOGIZER_PAGES": str(folder),
    }  # fmt: skip
    tools = root / "web" / "node_modules" / ".bin"
    for command in ((tools / "tsc", "-p", "tsconfig.json"), (tools / "vite", "build", "--logLevel", "warn")):
        try:
            done = subprocess.run(
                command, cwd=root / SOURCES, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS
            )
        except FileNotFoundError as error:
            raise PagesNotBuilt(f"{error.filename} is not there: run `make setup`") from error
        if done.returncode != 0:
            raise PagesNotBuilt(f"{Path(command[0]).name}: {done.stdout}{done.stderr}".rstrip())


def differing(built: Path, fresh: Path) -> list[str]:
    """The names of files that differ between the folders."""
    files = {folder: {path.name: path.read_bytes() for path in folder.iterdir()} for folder in (built, fresh)}
    names = sorted(files[built].keys() | files[fresh].keys())
    return [name for name in names if files[built].get(name) != files[fresh].get(name)]


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Build, or with `--check` compare; the exit code."""
    try:
        if "--check" not in arguments:
            build(root / BUILT, root)
            return 0
        with tempfile.TemporaryDirectory() as folder:
            build(Path(folder), root)
            found = differing(root / BUILT, Path(folder))
    except PagesNotBuilt as error:
        print(error, file=sys.stderr)
        return 1
    for name in found:
        print(f"{BUILT / name} is not what the sources give: run `python -m tools.web`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
