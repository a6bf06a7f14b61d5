"""Programs of other projects that tests run: the machine's own, or Debian's package, fetched and unpacked into the cache
(`apt-get download`; nothing is installed and no service started, so it needs no root)."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cli.up.embedded.jars import cache_folder

PROGRAMS = ("usr/sbin", "usr/bin")
FETCH_SECONDS = 120


def program(name: str, *packages: str) -> tuple[str, dict[str, str]]:
    """Where a program is, and its environment; `packages`: Debian's, if not the one of the program's name, with the
    libraries that a machine may lack. Skips the test, and says why, where it is not to be had."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    if (installed := shutil.which(name, path=path)) is not None:
        return installed, dict(os.environ)
    folder = cache_folder() / "debian" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(name, packages or (name,), folder)
    libraries = ":".join(str(found) for found in (folder / "usr" / "lib").glob("*-linux-*"))
    unpacked = shutil.which(name, path=":".join(str(folder / place) for place in PROGRAMS))
    assert unpacked is not None, f"{folder} has no {name}"
    return unpacked, os.environ | {"LD_LIBRARY_PATH": libraries}


def _fetch(name: str, packages: tuple[str, ...], folder: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip(f"no {name} on this machine, and no apt-get to fetch it with: it was not tried")
    with TemporaryDirectory(dir=folder.parent) as temporary:
        part = Path(temporary) / "unpacked"
        download = ("apt-get", "download", *packages)
        for words in (download, ("apt-get", "update"), download):
            done = subprocess.run(
                (*words, "-qq"), cwd=temporary, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS
            )
            if words[1] == "download" and done.returncode == 0:
                break
        else:
            last = " ".join(done.stderr.strip().splitlines()[-1:])
            pytest.skip(f"{name} could not be fetched ({last}): it was not tried")
        for package in Path(temporary).glob("*.deb"):
            subprocess.run(("dpkg-deb", "--extract", str(package), str(part)), check=True, capture_output=True)
        part.rename(folder)
