"""Sets up `.venv` from the lock files, with nothing but a Python: `python3 infra/bootstrap.py run|dev`.

Run by make before everything else. It says what it does, does nothing when nothing changed, and can be killed at
any moment: a marker tells the next run that the environment is half made, and it is made anew. The `dev` set
contains the `run` set; an environment that has it is never cut down. To `dev` belong the packages that the tests of the
web client need: `web/node_modules`, by the machine's Node or one from a wheel; running needs no Node. Any failure is one
line and exit code 1; that the terminal was closed is one too, so that make does not go on unseen. Whoever reads the output
may leave.

This file must be understood by every Python 3.7: an older one than we need shall get its one line.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TextIO

LEAST = (3, 11)
LEAST_NODE = (20, 19)
CHECKOUT = Path(__file__).resolve().parents[1]
VENV = CHECKOUT / ".venv"
REQUIREMENTS = CHECKOUT / "requirements"
STAMP = VENV / ".synced"
HALF_MADE = VENV / ".half-made"
WEB = CHECKOUT / "web"
WEB_STAMP = WEB / "node_modules" / ".synced"
SETS = ("run", "dev")
# bytecode at once: where the environment forbids Python to write it later, every process would compile everything
# at each start, which doubles the time to ready
SYNC = ("pip", "sync", "--compile-bytecode", "--require-hashes")
PIP_LOG = VENV / ".pip.log"
LOOK_MILLISECONDS = 500
LAST_BYTES = 1_000_000
"""Of what a tool says, so much is looked at for the cause of its failure."""


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
            if arguments[0] == "dev":
                _set_up_web()
        _check_terminals(0)
    except Failed as failure:
        return _told(str(failure))
    except OSError as error:
        return _told(_network().cause(str(error)) or str(error))
    except KeyboardInterrupt:
        return _told("interrupted; the next run goes on from here")
    return 0


def _told(line: str) -> int:
    _write(2, f"set-up failed: {line}\n")
    return 1


def _say(line: str) -> None:
    _write(1, line + "\n")


def _write(stream: int, words: str) -> None:
    with contextlib.suppress(OSError):  # a terminal that was closed, a reader that has gone: nobody can be told
        os.write(stream, words.encode(errors="surrogateescape"))


def _open_missing_streams() -> None:
    """Cron and the like may start us with a standard stream closed: the next file would take its place."""
    for stream in range(3):
        try:
            os.fstat(stream)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free


def _end_on_signals() -> None:
    """Being asked to end, or the terminal closed, is as Ctrl-C; `nohup` is respected."""

    asking = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]

    def interrupt(_number: int, _frame: object) -> None:
        for number in asking:  # one closed terminal may send several
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in asking:
        signal.signal(number, interrupt)


def _terminals() -> list[int]:
    """Those whose end is ours: not under `nohup`, nor in the background of one."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return []
    return [stream for stream in range(3) if os.isatty(stream) and _is_ours(stream)]


def _is_ours(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it does not control us (`su -c`, `setsid`): nobody else will say that it was closed
        return True


TERMINALS = _terminals()


def _check_terminals(milliseconds: float | None, reading: int | None = None) -> None:
    """Wait until there is something to read, or for so long. Raises Failed when a terminal was closed."""
    polled = select.poll()
    for terminal in TERMINALS:
        polled.register(terminal, 0)  # a hang-up is told without being asked for
    if reading is not None:
        polled.register(reading, select.POLLIN)
    if any(number != reading for number, _ in polled.poll(milliseconds)):
        raise Failed("the terminal was closed; the next run goes on from here")


def _network() -> ModuleType:
    """What is known of networks; only for a Python that is new enough to read it."""
    if str(CHECKOUT) not in sys.path:
        sys.path.insert(0, str(CHECKOUT))
    from cli.up import network

    return network


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
        if not _locked(lock):
            _say("waiting for another set-up of this checkout")
            while not _locked(lock):
                _check_terminals(LOOK_MILLISECONDS)
        yield


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _set_up(wanted: str) -> None:
    has, stamp = _read_stamp()
    wanted = "dev" if has == "dev" else wanted
    if has in (wanted, "dev") and stamp == _fingerprint():
        return
    if HALF_MADE.exists() or not _usable():
        _make_venv()
    HALF_MADE.touch()
    STAMP.unlink(missing_ok=True)
    _say(f"installing the {wanted} packages into .venv (the first time some 250 MB are fetched)")
    python = str(VENV / "bin" / "python")
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    PIP_LOG.unlink(missing_ok=True)
    log = ("--log", str(PIP_LOG))  # it tells the causes of its failures nowhere else
    _run("the installer uv", *pip, *log, "-r", str(REQUIREMENTS / "bootstrap.txt"), environment=_trusting(python))
    PIP_LOG.unlink()
    uv = (str(VENV / "bin" / "uv"), *SYNC, "--python", python)
    _run("the packages", *uv, str(REQUIREMENTS / f"{wanted}.txt"), environment=_trusting(python))
    _install_ourselves()
    STAMP.write_text(f"{wanted} {_fingerprint()}\n")
    HALF_MADE.unlink()
    _say("packages are installed")


def _set_up_web() -> None:
    fingerprint = _web_fingerprint()
    if WEB_STAMP.exists() and WEB_STAMP.read_text() == fingerprint:
        return
    WEB_STAMP.unlink(missing_ok=True)
    npm = _npm()
    _say("installing the packages of the web client into web/node_modules (some 30 MB are fetched)")
    environment = _trusting(str(VENV / "bin" / "python"))
    if Path(environment.get("PIP_CERT", "")).is_file():
        environment.setdefault("NODE_EXTRA_CA_CERTS", environment["PIP_CERT"])
    environment["PATH"] = os.pathsep.join((str(Path(npm).parent), environment.get("PATH", os.defpath)))
    argv = (npm, "ci", "--prefix", str(WEB), "--ignore-scripts", "--no-progress", "--loglevel=error")
    _run("the packages of the web client", *argv, environment=environment)
    WEB_STAMP.write_text(fingerprint)


def _web_fingerprint() -> str:
    return hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()


def _npm() -> str:
    """The machine's, where its Node is new enough; else that of a wheel, beside our Python."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        told = subprocess.run(
            [node, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ).stdout.decode()
        if tuple(int(part) for part in re.findall(r"\d+", told)[:2]) >= LEAST_NODE:
            return npm
    npm = str(VENV / "bin" / "npm")
    if not os.access(npm, os.X_OK):
        python = str(VENV / "bin" / "python")
        install = (str(VENV / "bin" / "uv"), "pip", "install", "--require-hashes", "--python", python)
        _say("installing Node into .venv (some 60 MB are fetched)")
        _run("Node", *install, "-r", str(REQUIREMENTS / "node.txt"), environment=_trusting(python))
    return npm


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
        _say("making .venv anew")
        shutil.rmtree(VENV)
    else:
        _say("making .venv")
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


def _trusting(python: str) -> dict[str, str]:
    """The environment in which pip and uv trust the system's list of certificates or SSL_CERT_FILE's (by themselves,
    old pips and uv trust a list of their own), where the user has not told them another."""
    environment = dict(os.environ)
    try:
        trusted = _network().trusted(environment)
    except ValueError as error:
        raise Failed(str(error)) from error
    if trusted and not _configured(python):
        environment["PIP_CERT"] = trusted
    if not environment.keys() & {"UV_SYSTEM_CERTS", "UV_NATIVE_TLS"} and not _uv_configured(environment):
        environment["UV_SYSTEM_CERTS"] = "1"
    return environment


def _configured(python: str) -> bool:
    """True where pip was told by the environment or a configuration file whom to trust."""
    argv = (python, "-m", "pip", "config", "list", "--disable-pip-version-check")
    told = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return re.search(r"^\S+\.cert=", told.stdout.decode(errors="replace"), re.MULTILINE) is not None


def _uv_configured(environment: dict[str, str]) -> bool:
    """The same of uv's configuration files."""
    home = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    named = environment.get("UV_CONFIG_FILE")
    files = [Path(named)] if named else [Path(home, "uv", "uv.toml"), Path("/etc/uv/uv.toml")]
    words = [file.read_text(errors="replace") for file in files if os.access(str(file), os.R_OK)]
    return any(re.search(r"^\s*(system-certs|native-tls)\b", text, re.MULTILINE) for text in words)


def _run(what: str, *argv: str, environment: dict[str, str] | None = None) -> None:
    """On a terminal the tool shows its progress; elsewhere it is heard only when it fails."""
    try:
        code, said = _heard(argv, environment)
    except OSError as error:
        raise Failed(f"{what}: {_network().cause(str(error)) or error}") from error
    if code == 0:
        return
    last = [line.strip() for line in said.splitlines() if line.strip()][-1:]
    log = PIP_LOG.read_text(errors="replace")[-LAST_BYTES:] if PIP_LOG.exists() else ""
    cause = _network().cause
    reason = cause(log) or cause(said) or (last[0] if last else f"exit code {code}")
    raise Failed(f"{what} could not be installed: {reason}")


def _heard(argv: tuple[str, ...], environment: dict[str, str] | None) -> tuple[int, str]:
    """Run a tool; its exit code and the end of what it said. It ends with us."""
    shown = os.isatty(2)
    reading, writing = pty.openpty() if shown else os.pipe()
    try:
        if shown:
            fcntl.ioctl(writing, termios.TIOCSWINSZ, fcntl.ioctl(2, termios.TIOCGWINSZ, bytes(8)))
        process = subprocess.Popen(argv, stdout=writing, stderr=writing, env=environment)
    finally:
        os.close(writing)
    try:
        said = b""
        while True:
            _check_terminals(None, reading)
            words = _read(reading)
            if not words:
                return process.wait(), said.decode(errors="replace")
            said = (said + words)[-LAST_BYTES:]
            if shown:
                _write(2, words.decode(errors="surrogateescape"))
    finally:
        os.close(reading)
        process.terminate()
        process.wait()


def _read(reading: int) -> bytes:
    try:
        return os.read(reading, 65_536)
    except OSError:  # how a terminal ends
        return b""


if __name__ == "__main__":
    _open_missing_streams()
    _end_on_signals()
    os.chdir(CHECKOUT)
    sys.exit(main(sys.argv[1:]))
