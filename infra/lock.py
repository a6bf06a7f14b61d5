"""Resolves the Python lock files anew from pyproject.toml: versions with hashes, no addresses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
COMPILE = (
    "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header",
    "--python-version", "3.11",
)  # fmt: skip


def main() -> None:
    """Write requirements/{bootstrap,run,dev}.txt."""
    bootstrap = CHECKOUT / "requirements" / "bootstrap.in"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r")
    subprocess.run((*pip, str(bootstrap.with_suffix(".txt"))), check=True)
    uv = Path(sys.executable).with_name("uv")
    for words in (
        (str(bootstrap), "-o", str(bootstrap.with_suffix(".txt"))),
        ("pyproject.toml", "-o", "requirements/run.txt"),
        ("pyproject.toml", "--group", "dev", "-o", "requirements/dev.txt"),
    ):
        subprocess.run((str(uv), *COMPILE, *words), check=True, cwd=CHECKOUT)


if __name__ == "__main__":
    main()
