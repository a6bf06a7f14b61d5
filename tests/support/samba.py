"""A real Samba server on loopback, as an ordinary process of the test: its own configuration, port, users and state, and
nothing of the machine's.

Debian's package is installed where it is missing and that is allowed (`apt-get`, as root); elsewhere the tests are skipped,
and say why."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import smbclient
import smbclient.shutil

from cli.up import ports
from storage.share import Share
from tests.support.cable import Cable, laid
from tests.support.waiting import wait_until

USER, PASSWORD = "nobody", "correct horse"
START_SECONDS = 20.0
_SBIN = "/usr/sbin:/sbin"

_GLOBAL = """
[global]
  smb ports = {port}
  interfaces = {address}
  bind interfaces only = yes
  server role = standalone server
  map to guest = never
  disable netbios = yes
  disable spoolss = yes
  load printers = no
  printing = bsd
  passdb backend = tdbsam:{state}/passdb.tdb
  private dir = {state}
  state directory = {state}
  cache directory = {state}
  lock directory = {state}
  pid directory = {state}
  ncalrpc dir = {state}/ncalrpc
  log file = {state}/log
  max log size = 0
"""
_SHARE = """
[{name}]
  path = {path}
  read only = no
  force user = root
"""


def program(name: str) -> str | None:
    """Where a program of Samba's is."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}")


def provided() -> str | None:
    """See that Samba is there; why it is not."""
    if os.geteuid() != 0:
        return "Samba serves files as other users, which only root may: no share was tried"
    if program("smbd") is not None:
        return None
    if shutil.which("apt-get") is None:
        return "no Samba on this machine, and no apt-get to install it with: no share was tried"
    with Path("/tmp/catalogizer-samba.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program("smbd") is None:
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "samba"]
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=240)
            if done.returncode != 0:
                last = done.stderr.strip().splitlines()[-1:]
                return f"Samba could not be installed ({' '.join(last)}): no share was tried"
    return None if program("smbd") is not None else "Samba was installed and is not there: no share was tried"


@dataclass
class Samba:
    """One server. `served`: the folder of each share; `cable`: to the network that it is alone in, None: it is on this
    machine's loopback. Its folder is below the system's one for short paths: sockets lie in it."""

    folder: Path
    served: dict[str, Path] = field(default_factory=dict)
    settings: str = ""
    port: int = field(default_factory=ports.free_port)
    cable: Cable | None = None
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        (self.folder / "state").mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "smb.conf"
        if not self.served:
            self.served["media"] = self.folder / "media"
        for path in self.served.values():
            path.mkdir(exist_ok=True)
        self.configure()
        self.set_password(PASSWORD)

    def configure(self) -> None:
        """Write what is to be served; a server that runs heeds it for new connections after `reload`."""
        text = _GLOBAL.format(address=self.address, port=self.port, state=self.folder / "state") + self.settings
        self.config.write_text(text + "".join(_SHARE.format(name=n, path=p) for n, p in self.served.items()))

    @property
    def address(self) -> str:
        """Where it listens."""
        return "127.0.0.1" if self.cable is None else self.cable.address

    def set_password(self, password: str) -> None:
        """The user's password is this from now on."""
        words = [str(program("smbpasswd")), "-c", str(self.config), "-s", "-a", USER]
        subprocess.run(words, input=f"{password}\n{password}\n".encode(), capture_output=True, check=True)

    def start(self) -> Samba:
        """Serve; returns when it listens."""
        inside = () if self.cable is None else self.cable.inside
        words = [*inside, str(program("smbd")), "-F", "--no-process-group", "-s", str(self.config)]
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        wait_until(self._listens, START_SECONDS, what="Samba to listen")
        return self

    def kill(self) -> None:
        """-9, with all that serve a connection."""
        if self._process is not None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """To it and all that serve a connection."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def reload(self) -> None:
        """Heed what was configured since."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGHUP)

    def share(self, folder: str = "", name: str = "media", **given: object) -> Share:
        """How to reach a share of it."""
        there = {"host": self.address, "port": self.port, "share": name, "path": folder, "user": USER}
        if "password_file" not in given:
            there["password"] = PASSWORD
        return Share.model_validate(there | given)

    def _listens(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex((self.address, self.port)) == 0


@dataclass
class Client:
    """Another client of the share: what people do with their machines. Paths are relative to the share."""

    samba: Samba
    name: str = "media"

    def __post_init__(self) -> None:
        self._cache: dict[str, object] = {}
        self._given = {
            "username": USER, "password": PASSWORD, "port": self.samba.port, "connection_cache": self._cache,
        }  # fmt: skip

    def write(self, path: str, content: bytes) -> None:
        """A file, new or another one than before."""
        with smbclient.open_file(self._unc(path), mode="wb", share_access="rwd", **self._given) as file:
            file.write(content)

    def append(self, path: str, content: bytes) -> None:
        """A file gets longer."""
        with smbclient.open_file(self._unc(path), mode="ab", share_access="rwd", **self._given) as file:
            file.write(content)

    def overwrite(self, path: str, content: bytes) -> None:
        """A file has other bytes at its beginning."""
        with smbclient.open_file(self._unc(path), mode="r+b", share_access="rwd", **self._given) as file:
            file.write(content)

    def truncate(self, path: str, length: int) -> None:
        """A file gets this long."""
        smbclient.truncate(self._unc(path), length, **self._given)

    def set_mtime(self, path: str, mtime_ns: int) -> None:
        """As who copies with the times does."""
        smbclient.utime(self._unc(path), ns=(mtime_ns, mtime_ns), **self._given)

    def mkdir(self, path: str) -> None:
        """A directory."""
        smbclient.mkdir(self._unc(path), **self._given)

    def rename(self, source: str, target: str) -> None:
        """Also to another directory."""
        smbclient.rename(self._unc(source), self._unc(target), **self._given)

    def replace(self, source: str, target: str) -> None:
        """The same, over what is there."""
        smbclient.replace(self._unc(source), self._unc(target), **self._given)

    def remove(self, path: str) -> None:
        """A file."""
        smbclient.remove(self._unc(path), **self._given)

    def rmdir(self, path: str) -> None:
        """An empty directory."""
        smbclient.rmdir(self._unc(path), **self._given)

    def rmtree(self, path: str) -> None:
        """A directory and all in it."""
        smbclient.shutil.rmtree(self._unc(path), **self._given)

    def close(self) -> None:
        """Hang up."""
        smbclient.reset_connection_cache(fail_on_error=False, connection_cache=self._cache)

    def _unc(self, path: str) -> str:
        return f"\\\\{self.samba.address}\\{self.name}\\" + path.replace("/", "\\")


@contextmanager
def serving(served: dict[str, Path] | None = None, cable: Cable | None = None) -> Iterator[Samba]:
    """A server that is gone afterwards. `served`: the folder of each share, None: one of its own."""
    with TemporaryDirectory(prefix="catalogizer-smb-") as folder:
        server = Samba(Path(folder), served or {}, cable=cable).start()
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def _serving(cable: Cable | None = None) -> Iterator[Samba]:
    if (missing := provided()) is not None:
        pytest.skip(missing)
    with serving(cable=cable) as server:
        yield server


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    """A server for the module's tests, each in a folder of its own."""
    with _serving() as server:
        yield server


@pytest.fixture
def own_samba() -> Iterator[Samba]:
    """A server that the test may do anything to."""
    with _serving() as server:
        yield server


@pytest.fixture
def far_samba() -> Iterator[Samba]:
    """The same, at the end of a cable."""
    cable = laid()
    try:
        with _serving(cable) as server:
            yield server
    finally:
        cable.remove()
