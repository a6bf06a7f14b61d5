"""Tools with too many dependencies for our environment: each is installed from its own lock file into a separate folder,
when it is first used."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tools import ROOT

NAMES = ("checkov", "kubernetes-validate", "moto")


def lock_file(name: str) -> Path:
    """requirements/NAME.txt: versions and hashes, no addresses."""
    return ROOT / "requirements" / f"{name}.txt"


def program(name: str, command: str) -> Path:
    """A command of the tool, installed first if its lock file has changed. Raises subprocess.CalledProcessError."""
    lock = lock_file(name)
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "catalogizer" / "tools"
    folder = cache / f"{name}-{digest}"
    if not (folder / "complete").exists():
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        environment = os.environ | {"VIRTUAL_ENV": str(folder)}
        install = [uv, "pip", "sync", "--quiet", "--require-hashes", str(lock)]
        subprocess.run(install, check=True, env=environment)
        (folder / "complete").touch()
    return folder / "bin" / command
