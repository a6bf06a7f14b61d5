"""Sets up `.venv` from the lock files, with nothing but a Python: `python3 infra/bootstrap.py run|dev`.

Run by make before everything else. It says what it does, does nothing when nothing changed, and can be killed at
any moment: a marker tells the next run that the environment is half made, and it is made anew. The `dev` set
contains the `run` set; an environment that has it is never cut down. Any failure is one line and exit code 1.

This file must be understood by every Python 3.7: an older one than we need shall get its one line.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LEAST = (3, 11)
CHECKOUT = Path(__file__).resolve().parents[1]
VENV = CHECKOUT / ".venv"
REQUIREMENTS = CHECKOUT / "requirements"
STAMP = VENV / ".synced"
HALF_MADE = VENV / ".half-made"
SETS = ("run", "dev")
# bytecode at once: where the environment forbids Python to write it later, every process would compile everything
# at each start, which doubles the time to ready
SYNC = ("pip", "sync", "--compile-bytecode", "--require-hashes")
_UNTRUSTED = "the package registry's certificate is not trusted (name the CA's file in SSL_CERT_FILE)"
CAUSES = (
    ("No space left on device", "the disk is full"),
    ("Temporary failure in name resolution", "no network"),
    ("dns error", "no network"),
    ("invalid peer certificate", _UNTRUSTED),
    ("CERTIFICATE_VERIFY_FAILED", _UNTRUSTED),
    ("error sending request", "no network"),
    ("NewConnectionError", "no network"),
    ("No matching distribution", "the package registry cannot be reached or lacks a package"),
    ("Connection refused", "no network"),
    ("timed out", "the network does not answer"),
    ("ensurepip is not", "Python's venv module is incomplete (on Debian: apt install python3-venv)"),
    ("No module named venv", "Python's venv module is missing (on Debian: apt install python3-venv)"),
    ("Permission denied", "no permission to write"),
    ("THESE PACKAGES DO NOT MATCH THE HASHES", "a package does not have the pinned hash"),
    ("Hash mismatch", "a package does not have the pinned hash"),
)
"""What tools say, and what it means."""


class Failed(Exception):
    """The one line to be shown."""


def main(arguments: list[str]) -> int:
    """Set up; the exit code."""
    try:
        if len(arguments) != 1 or arguments[0] not in SETS:
            raise Failed("usage: python3 infra/bootstrap.py run|dev")
        _check_python()
        with _alone():
            _set_up(arguments[0])
    except Failed as failure:
        return _told(str(failure))
    except OSError as error:
        return _told(_cause(str(error)) or str(error))
    except KeyboardInterrupt:
        return _told("interrupted; the next run goes on from here")
    return 0


def _told(line: str) -> int:
    print("set-up failed: " + line, file=sys.stderr)
    return 1


def _check_python() -> None:
    if sys.version_info[:2] < LEAST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        raise Failed(
            f"Python {LEAST[0]}.{LEAST[1]} or newer is needed, {sys.executable or 'this'} is {found}"
            " (another one: make PYTHON=/path/to/python3 …)"
        )
    if not sys.platform.startswith("linux"):
        raise Failed(f"Linux is needed, this is {sys.platform}")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two makes at once must not make the same environment: one waits."""
    with (REQUIREMENTS / "bootstrap.txt").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another set-up of this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _set_up(wanted: str) -> None:
    has, stamp = _read_stamp()
    wanted = "dev" if has == "dev" else wanted
    if has in (wanted, "dev") and stamp == _fingerprint():
        return
    if HALF_MADE.exists() or not _usable():
        _make_venv()
    HALF_MADE.touch()
    STAMP.unlink(missing_ok=True)
    print(f"installing the {wanted} packages into .venv (the first time some 250 MB are fetched)")
    python = str(VENV / "bin" / "python")
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    _run("the installer uv", *pip, "-r", str(REQUIREMENTS / "bootstrap.txt"))
    uv = (str(VENV / "bin" / "uv"), *SYNC, "--python", python)
    _run("the packages", *uv, str(REQUIREMENTS / f"{wanted}.txt"))
    _install_ourselves()
    STAMP.write_text(f"{wanted} {_fingerprint()}\n")
    HALF_MADE.unlink()
    print("packages are installed")


def _read_stamp() -> tuple[str, str]:
    if HALF_MADE.exists() or not STAMP.exists():
        return ("dev" if (VENV / "bin" / "pytest").exists() else ""), ""
    name, _, stamp = STAMP.read_text().strip().partition(" ")
    return name, stamp


def _fingerprint() -> str:
    """Of everything that the environment is made from: where it is, which Python, which lock files."""
    digest = hashlib.sha256(f"{CHECKOUT} {sys.version_info[:2]} {_LAUNCHER} {SYNC}".encode())
    for name in ("bootstrap", *SETS):
        digest.update((REQUIREMENTS / f"{name}.txt").read_bytes())
    return digest.hexdigest()


def _usable() -> bool:
    """True for an environment of the right Python, made at this place, with pip in it."""
    python = VENV / "bin" / "python"
    if not python.exists() or not (VENV / "pyvenv.cfg").exists():
        return False
    code = "import sys, pip; print(sys.prefix, *sys.version_info[:2])"
    told = subprocess.run([str(python), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return told.stdout.decode().split() == f"{VENV} {sys.version_info[0]} {sys.version_info[1]}".split()


def _make_venv() -> None:
    if VENV.exists():
        print("making .venv anew")
        shutil.rmtree(VENV)
    else:
        print("making .venv")
    VENV.mkdir()
    HALF_MADE.touch()
    _run("the virtual environment", sys.executable, "-m", "venv", str(VENV))


_LAUNCHER = """\
#!/bin/sh
exec {python} -P -m cli.main "$@"
"""


def _install_ourselves() -> None:
    """Make the checkout importable and put the command beside Python: a build of our own package would need
    tools that running does not."""
    library = VENV / "lib" / "python{}.{}".format(*sys.version_info[:2]) / "site-packages"
    (library / "catalogizer.pth").write_text(f"{CHECKOUT}\n")
    command = VENV / "bin" / "catalogizer"
    command.write_text(_LAUNCHER.format(python=shlex.quote(str(VENV / "bin" / "python"))))
    command.chmod(0o755)


def _run(what: str, *argv: str) -> None:
    """On a terminal the tool shows its progress; elsewhere it is heard only when it fails."""
    shown = sys.stderr.isatty()
    try:
        done = subprocess.run(
            argv, stdout=None if shown else subprocess.PIPE, stderr=None if shown else subprocess.PIPE
        )
    except OSError as error:
        raise Failed(f"{what}: {error}") from error
    if done.returncode == 0:
        return
    said = "" if shown else (done.stderr + b"\n" + done.stdout).decode(errors="replace")
    last = [line.strip() for line in said.splitlines() if line.strip()][-1:]
    reason = _cause(said) or (last[0] if last else "see above")
    raise Failed(f"{what} could not be installed: {reason}")


def _cause(said: str) -> str:
    return next((meaning for words, meaning in CAUSES if words in said), "")


if __name__ == "__main__":
    os.chdir(CHECKOUT)
    sys.exit(main(sys.argv[1:]))
