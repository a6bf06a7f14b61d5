"""`python -m tools.floors [TEST…]`: tests with the oldest packages that pyproject.toml allows, in a temporary environment.

The development environment is created from its lock, every package that the project names is then replaced by its oldest
allowed version, and the tests are run there: by default `tests/unit` without those that compare the lock, or what is built
of it, with what is installed. It takes minutes and, while it runs, some 900 MB; not a part of CI. Exit code: pytest's, or
uv's if these versions conflict.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools import ROOT

PYTHON = "3.11"
OF_THE_LOCK = ("test_licences", "tools/test_generated", "tools/test_release", "tools/test_sbom", "tools/test_web")
TESTS = ("tests/unit", *(f"--ignore=tests/unit/{name}.py" for name in OF_THE_LOCK))


def main(tests: Sequence[str]) -> int:
    """Resolve, install, test."""
    uv = str(Path(sys.executable).with_name("uv"))
    with tempfile.TemporaryDirectory(prefix="catalogizer-floors-") as name:
        lowest, place = Path(name) / "lowest.txt", Path(name) / "environment"
        environment = os.environ | {"VIRTUAL_ENV": str(place), "PYTHONPATH": str(ROOT)}
        resolve = (
            "compile", "--quiet", "--no-header", "--no-annotate", "--resolution", "lowest-direct",
            "--python-version", PYTHON, "--output-file", str(lowest), str(ROOT / "pyproject.toml"),
        )  # fmt: skip
        install = [uv, "pip", "install", "--quiet", "--requirements", str(lowest)]
        for command in (
            [uv, "pip", *resolve],
            [uv, "venv", "--quiet", "--python", sys.executable, str(place)],
            [uv, "pip", "sync", "--quiet", "--require-hashes", str(ROOT / "requirements" / "dev.txt")],
            install,
        ):
            if (code := subprocess.run(command, env=environment, check=False).returncode) != 0:
                return code
        print(lowest.read_text(), flush=True)
        run = [str(place / "bin" / "python"), "-m", "pytest", "-q", *(tests or TESTS)]
        return subprocess.run(run, env=environment, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
