"""Makes `.venv` what the lock files say, with nothing but Python's standard library; says what it does.

`bootstrap.py run|dev`: `dev` is a superset of `run`. Every package is verified by its hash. A stamp, written last,
says which lock files the environment was made from: with it there is nothing to do, without it (never made, or
killed half-way) it is made anew. A failure is one line and exit code 1.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
VENV = CHECKOUT / ".venv"
LOCKS = CHECKOUT / "requirements"
OLDEST = (3, 11)
LAUNCHER = """\
#!{python}
import sys
from cli.main import run
sys.exit(run())
"""


class Failure(Exception):
    """The set-up cannot go on; the text is for the user."""


def main(kind: str) -> None:
    """Bring the environment to `kind` (run or dev)."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        raise Failure(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is {found} ({sys.executable})")
    with (CHECKOUT / ".setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make`s in one checkout take turns
        if not _up_to_date(kind):
            _make(kind)


def _stamp(kind: str) -> Path:
    return VENV / f"{kind}.stamp"


def _wanted(kind: str) -> str:
    files = (Path(__file__), LOCKS / "bootstrap.txt", LOCKS / f"{kind}.txt")
    digest = hashlib.sha256(f"{CHECKOUT} {sys.version}".encode())
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _up_to_date(kind: str) -> bool:
    kinds = ("run", "dev") if kind == "run" else ("dev",)
    return any(_stamp(k).is_file() and _stamp(k).read_text() == _wanted(k) for k in kinds)


def _make(kind: str) -> None:
    print(f"setting up .venv ({kind})", flush=True)
    for stamp in (_stamp("run"), _stamp("dev")):
        stamp.unlink(missing_ok=True)
    python = VENV / "bin" / "python"
    if not _works(python):
        shutil.rmtree(VENV, ignore_errors=True)
        _do(
            "make a virtual environment (is Python's venv module installed?)",
            sys.executable,
            "-m",
            "venv",
            str(VENV),
        )
    print("fetching the installer", flush=True)
    _do(
        "install uv", str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--require-hashes", "-r", str(LOCKS / "bootstrap.txt"),
    )  # fmt: skip
    print("fetching packages", flush=True)
    _do(
        "install the packages", str(VENV / "bin" / "uv"), "pip", "sync", "--quiet", "--python", str(python),
        "--require-hashes", str(LOCKS / f"{kind}.txt"),
    )  # fmt: skip
    # uv itself is not in the lock files of packages: sync took it away, which is fine until the next set-up
    _link(python)
    _stamp(kind).write_text(_wanted(kind))
    print("set up", flush=True)


def _works(python: Path) -> bool:
    if not python.exists():
        return False
    words = (str(python), "-c", "import pip, sys; print(sys.prefix)")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode == 0 and Path(done.stdout.strip()) == VENV


def _link(python: Path) -> None:
    """The checkout is importable, and `.venv/bin/catalogizer` starts it."""
    words = (str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])")
    site = Path(subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip())
    (site / "catalogizer.pth").write_text(f"{CHECKOUT}\n")
    launcher = VENV / "bin" / "catalogizer"
    launcher.write_text(LAUNCHER.format(python=python))
    launcher.chmod(0o755)


def _do(what: str, *words: str) -> None:
    environment = {**os.environ, "UV_NO_PROGRESS": "1"} if not sys.stderr.isatty() else dict(os.environ)
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise Failure(f"cannot {what}: {said[-1] if said else f'exit code {done.returncode}'}")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "run")
    except Failure as failure:
        sys.exit(f"set-up failed: {failure}")
    except OSError as error:
        sys.exit(f"set-up failed: {error}")
    except KeyboardInterrupt:
        sys.exit("set-up interrupted; run it again to go on")
