"""Run inside the image: prints every shared object that lacks a library, one line each.

It is passed to the image's Python on standard input, because the image has no other program. It uses the dynamic loader, as
a start of a program would.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

LOADER = next(path for place in ("/lib64", "/lib") for path in sorted(Path(place).glob("ld-linux*")))
FOLDERS = ("/usr/lib", "/opt")


def main() -> None:
    """Print what is missing."""
    for folder in FOLDERS:
        for path in sorted(Path(folder).rglob("*.so*")):
            if path.is_symlink() or path.read_bytes()[:4] != b"\x7fELF":
                continue
            listed = subprocess.run(
                [str(LOADER), "--list", str(path)], capture_output=True, text=True, check=False
            )
            for line in listed.stdout.splitlines():
                if "not found" in line:
                    print(f"{path}: {line.split()[0]}")


if __name__ == "__main__":
    main()
