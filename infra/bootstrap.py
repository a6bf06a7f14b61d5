"""Sets up `.venv` from the lock files, with nothing but a Python: `python3 infra/bootstrap.py run|dev`.

Run by make before everything else. It prints its steps, does nothing if nothing changed, and can be killed at any moment:
a marker tells the next run that the environment is incomplete and must be recreated. The `dev` set contains the `run` set;
an environment with `dev` is never reduced to `run`. `dev` also includes `web/node_modules`, which the tests of the web
client need, installed with the machine's Node or one from a wheel; running the platform needs no Node. Any failure is one
line and exit code 1; a closed terminal counts as a failure, so that make does not continue unnoticed. A closed output pipe
is ignored.

This file must run on Python 3.7, so that a Python that is too old gets its one-line message.
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
COMPILED = VENV / ".compiled"
COMPILING = CHECKOUT / "gateway" / "log" / "compiling.py"
WEB = CHECKOUT / "web"
WEB_STAMP = WEB / "node_modules" / ".synced"
SETS = ("run", "dev")
# Compile bytecode now: if Python may not write it later, every process would compile everything at each start, which
# doubles the time to ready.
SYNC = ("pip", "sync", "--compile-bytecode", "--require-hashes")
PIP_LOG = VENV / ".pip.log"
LOOK_MILLISECONDS = 500
LAST_BYTES = 1_000_000
"""How much of the end of a tool's output is searched for the cause of its failure."""


class Failed(Exception):
    """An error whose text is the one line to show."""


def main(arguments: list[str]) -> int:
    """Set up; the exit code."""
    try:
        if len(arguments) != 1 or arguments[0] not in SETS:
            raise Failed("usage: python3 infra/bootstrap.py run|dev")
        _check_python()
        with _alone():
            _set_up(arguments[0])
            _compile()
            if arguments[0] == "dev":
                _set_up_web()
        _check_terminals(0)
    except Failed as failure:
        return _fail(str(failure))
    except OSError as error:
        return _fail(_network().cause(str(error)) or str(error))
    except KeyboardInterrupt:
        return _fail("interrupted; the next run goes on from here")
    return 0


def _fail(line: str) -> int:
    _write(2, f"set-up failed: {line}\n")
    return 1


def _print(line: str) -> None:
    _write(1, line + "\n")


def _write(stream: int, text: str) -> None:
    with contextlib.suppress(OSError):  # a closed terminal or pipe: the error cannot be reported
        os.write(stream, text.encode(errors="surrogateescape"))


def _open_missing_streams() -> None:
    """Open missing standard streams: with one closed, as under cron, the next opened file would get its descriptor."""
    for stream in range(3):
        try:
            os.fstat(stream)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free


def _end_on_signals() -> None:
    """Handle SIGTERM and SIGHUP like Ctrl-C; `nohup` is respected."""

    signals = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]

    def interrupt(_number: int, _frame: object) -> None:
        for number in signals:  # one closed terminal may send several
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in signals:
        signal.signal(number, interrupt)


def _terminals() -> list[int]:
    """Terminals whose closing must end us: none under `nohup`, nor any in whose background we are."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return []
    return [stream for stream in range(3) if os.isatty(stream) and _is_ours(stream)]


def _is_ours(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it does not control us (`su -c`, `setsid`): we get no SIGHUP when it is closed
        return True


TERMINALS = _terminals()


def _check_terminals(milliseconds: float | None, reading: int | None = None) -> None:
    """Wait until there is something to read, at most `milliseconds`. Raises Failed if a terminal was closed."""
    polled = select.poll()
    for terminal in TERMINALS:
        polled.register(terminal, 0)  # poll always reports a hang-up
    if reading is not None:
        polled.register(reading, select.POLLIN)
    if any(number != reading for number, _ in polled.poll(milliseconds)):
        raise Failed("the terminal was closed; the next run goes on from here")


def _network() -> ModuleType:
    """The module about networks; it needs a Python that is new enough."""
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
    """Only one process at a time may set up the environment: others wait."""
    with (REQUIREMENTS / "bootstrap.txt").open() as lock:
        if not _locked(lock):
            _print("waiting for another set-up of this checkout")
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
    _print(f"installing the {wanted} packages into .venv (the first time some 250 MB are fetched)")
    python = str(VENV / "bin" / "python")
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    PIP_LOG.unlink(missing_ok=True)
    log = ("--log", str(PIP_LOG))  # with --quiet, pip reports causes of failures only there
    _run("the installer uv", *pip, *log, "-r", str(REQUIREMENTS / "bootstrap.txt"), environment=_trusting(python))
    PIP_LOG.unlink()
    uv = (str(VENV / "bin" / "uv"), *SYNC, "--python", python)
    _run("the packages", *uv, str(REQUIREMENTS / f"{wanted}.txt"), environment=_trusting(python))
    _install_ourselves()
    STAMP.write_text(f"{wanted} {_fingerprint()}\n")
    HALF_MADE.unlink()
    _print("packages are installed")


def _compile() -> None:
    """Compile what may be compiled, which takes a second; what prevents it is one line, and everything works without."""
    if COMPILED.exists() and COMPILED.read_text() == _compiled_fingerprint():
        return
    COMPILED.unlink(missing_ok=True)
    code, output = _output_of((str(VENV / "bin" / "python"), str(COMPILING)), None)
    if not os.isatty(2):  # there it has been shown
        _write(1, output)
    if code == 0:
        COMPILED.write_text(_compiled_fingerprint())


def _compiled_fingerprint() -> str:
    """A digest of the source, the way it is compiled, and whether there is a compiler."""
    digest = hashlib.sha256((shutil.which(os.environ.get("CC", "cc")) or "").encode())
    for path in (COMPILING, COMPILING.with_name("frames.c")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _set_up_web() -> None:
    fingerprint = _web_fingerprint()
    if WEB_STAMP.exists() and WEB_STAMP.read_text() == fingerprint:
        return
    WEB_STAMP.unlink(missing_ok=True)
    npm = _npm()
    _print("installing the packages of the web client into web/node_modules (some 30 MB are fetched)")
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
    """The machine's npm if its Node is new enough; else that of a wheel, beside our Python."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        done = subprocess.run(
            [node, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ).stdout.decode()
        if tuple(int(part) for part in re.findall(r"\d+", done)[:2]) >= LEAST_NODE:
            return npm
    npm = str(VENV / "bin" / "npm")
    if not os.access(npm, os.X_OK):
        python = str(VENV / "bin" / "python")
        install = (str(VENV / "bin" / "uv"), "pip", "install", "--require-hashes", "--python", python)
        _print("installing Node into .venv (some 60 MB are fetched)")
        _run("Node", *install, "-r", str(REQUIREMENTS / "node.txt"), environment=_trusting(python))
    return npm


def _read_stamp() -> tuple[str, str]:
    if HALF_MADE.exists() or not STAMP.exists():
        return ("dev" if (VENV / "bin" / "pytest").exists() else ""), ""
    name, _, stamp = STAMP.read_text().strip().partition(" ")
    return name, stamp


def _fingerprint() -> str:
    """A digest of everything that determines the environment: its location, the Python version and the lock files."""
    digest = hashlib.sha256(f"{CHECKOUT} {sys.version_info[:2]} {_LAUNCHER} {SYNC}".encode())
    for name in ("bootstrap", *SETS):
        digest.update((REQUIREMENTS / f"{name}.txt").read_bytes())
    return digest.hexdigest()


def _usable() -> bool:
    """True for an environment of the right Python version, created at this location, with pip."""
    python = VENV / "bin" / "python"
    if not python.exists() or not (VENV / "pyvenv.cfg").exists():
        return False
    code = "import sys, pip; print(sys.prefix, *sys.version_info[:2])"
    done = subprocess.run([str(python), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode().split() == f"{VENV} {sys.version_info[0]} {sys.version_info[1]}".split()


def _make_venv() -> None:
    if VENV.exists():
        _print("recreating .venv")
        shutil.rmtree(VENV)
    else:
        _print("making .venv")
    VENV.mkdir()
    HALF_MADE.touch()
    _run("the virtual environment", sys.executable, "-m", "venv", str(VENV))


_LAUNCHER = """\
#!/bin/sh
exec {python} -P -m cli.main "$@"
"""


def _install_ourselves() -> None:
    """Make the checkout importable and write the command beside Python: building our own package would need tools that
    running does not."""
    library = VENV / "lib" / "python{}.{}".format(*sys.version_info[:2]) / "site-packages"
    (library / "catalogizer.pth").write_text(f"{CHECKOUT}\n")
    command = VENV / "bin" / "catalogizer"
    command.write_text(_LAUNCHER.format(python=shlex.quote(str(VENV / "bin" / "python"))))
    command.chmod(0o755)


def _trusting(python: str) -> dict[str, str]:
    """Environment variables that make pip and uv trust the system's certificates, or those of SSL_CERT_FILE (by default
    uv and old versions of pip use their own lists), unless the user has configured others."""
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
    """True if the environment or a configuration file tells pip which certificates to trust."""
    argv = (python, "-m", "pip", "config", "list", "--disable-pip-version-check")
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return re.search(r"^\S+\.cert=", done.stdout.decode(errors="replace"), re.MULTILINE) is not None


def _uv_configured(environment: dict[str, str]) -> bool:
    """The same of uv's configuration files."""
    home = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    named = environment.get("UV_CONFIG_FILE")
    files = [Path(named)] if named else [Path(home, "uv", "uv.toml"), Path("/etc/uv/uv.toml")]
    texts = [file.read_text(errors="replace") for file in files if os.access(str(file), os.R_OK)]
    return any(re.search(r"^\s*(system-certs|native-tls)\b", text, re.MULTILINE) for text in texts)


def _run(what: str, *argv: str, environment: dict[str, str] | None = None) -> None:
    """Run a tool. On a terminal its progress is shown; elsewhere only its failure is reported."""
    try:
        code, output = _output_of(argv, environment)
    except OSError as error:
        raise Failed(f"{what}: {_network().cause(str(error)) or error}") from error
    if code == 0:
        return
    last = [line.strip() for line in output.splitlines() if line.strip()][-1:]
    log = PIP_LOG.read_text(errors="replace")[-LAST_BYTES:] if PIP_LOG.exists() else ""
    cause = _network().cause
    reason = cause(log) or cause(output) or (last[0] if last else f"exit code {code}")
    raise Failed(f"{what} could not be installed: {reason}")


def _output_of(argv: tuple[str, ...], environment: dict[str, str] | None) -> tuple[int, str]:
    """Run a tool; its exit code and the end of its output. It ends with us."""
    shown = os.isatty(2)
    reading, writing = pty.openpty() if shown else os.pipe()
    try:
        if shown:
            fcntl.ioctl(writing, termios.TIOCSWINSZ, fcntl.ioctl(2, termios.TIOCGWINSZ, bytes(8)))
        process = subprocess.Popen(argv, stdout=writing, stderr=writing, env=environment)
    finally:
        os.close(writing)
    try:
        output = b""
        while True:
            _check_terminals(None, reading)
            chunk = _read(reading)
            if not chunk:
                return process.wait(), output.decode(errors="replace")
            output = (output + chunk)[-LAST_BYTES:]
            if shown:
                _write(2, chunk.decode(errors="surrogateescape"))
    finally:
        os.close(reading)
        process.terminate()
        process.wait()


def _read(reading: int) -> bytes:
    try:
        return os.read(reading, 65_536)
    except OSError:  # the end of a pseudo-terminal
        return b""


if __name__ == "__main__":
    _open_missing_streams()
    _end_on_signals()
    os.chdir(CHECKOUT)
    sys.exit(main(sys.argv[1:]))
