"""A real FUSE file system over a folder: bindfs, which passes everything through to it.

Debian's package is installed where it is missing and that is allowed (`apt-get`, as root); where there is none, or nothing
may be mounted, the tests are skipped, and say why."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DEVICE = Path("/dev/fuse")


@contextmanager
def mounted(folder: Path, at: Path, *options: str) -> Iterator[None]:
    """The folder's content stands at another place as well; `options`: of `mount`, such as `attr_timeout=30`."""
    _need_bindfs()
    command = ["bindfs", *(f"-o{option}" for option in options), str(folder), str(at)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"FUSE cannot be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def _need_bindfs() -> None:
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        pytest.skip(f"FUSE cannot be mounted here: {DEVICE} is not there, or not ours to use")
    if shutil.which("bindfs") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["apt-get", "install", "-y", "-q", "bindfs"], check=False, **quiet)  # type: ignore[call-overload]
    if shutil.which("bindfs") is None:
        pytest.skip("bindfs is not installed (apt-get install bindfs): nothing was tried on a FUSE file system")
