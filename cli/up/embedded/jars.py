"""Kafka's jars: pinned by coordinates and SHA-256 in `jars.lock`, fetched once, verified at every use.

The cache belongs to the user and is shared by all checkouts. A jar is renamed into it after its hash was verified; one that
is damaged later is noticed at the next use and fetched again. A file with the wrong hash is rejected.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

from cli.up import network, space
from cli.up.errors import BrokenState, JarsUnavailable
from cli.up.output import SetupOutput

LOCK_FILE = Path(__file__).with_name("jars.lock")
PARALLEL = 4
TIMEOUT_SECONDS = 30
"""The longest time without data."""
CHUNK_BYTES = 65_536
SERVER = "server"
TOOLS = "tools"


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned jar. `sha256`: hex. `size`: bytes."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def coordinates(self) -> str:
        """As Maven writes them."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def filename(self) -> str:
        """In the cache."""
        return f"{self.artifact}-{self.version}.jar"


Fetch = Callable[[Jar, Path, Callable[[int], None]], Path]
"""Downloads a jar to a folder and returns its path; calls the given function with the bytes received. Raises
JarsUnavailable."""


def locked(*sets: str, path: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The jars of the named sets. Raises BrokenState if the lock file is invalid."""
    try:
        lines = [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]
        rows = [(name, *coordinates.split(":"), sha256, size) for name, coordinates, sha256, size in lines]
        return tuple(Jar(g, a, v, sha, int(size)) for name, g, a, v, sha, size in rows if name in sets)
    except (OSError, ValueError) as error:
        raise BrokenState(path, f"not a lock file of jars ({error})") from error


def cache_folder() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME/catalogizer` or `~/.cache/catalogizer`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "catalogizer"


def obtain(jars: Iterable[Jar], folder: Path, output: SetupOutput, fetch: Fetch | None = None) -> tuple[Path, ...]:
    """Paths of the jars, all verified. Fetches what is missing or damaged; any number of processes may do so at once.
    Raises JarsUnavailable, OSError."""
    wanted = tuple(jars)
    folder.mkdir(parents=True, exist_ok=True)
    if not all(_whole(jar, folder / jar.filename) for jar in wanted):
        with _alone(folder):
            missing = [jar for jar in wanted if not _whole(jar, folder / jar.filename)]
            for jar in missing:
                if (folder / jar.filename).exists():
                    output.print(f"{jar.filename} in the cache is damaged: fetching it again")
            if missing:
                _fetch_all(missing, folder, output, fetch or from_maven)
    return tuple(folder / jar.filename for jar in wanted)


def _fetch_all(jars: list[Jar], folder: Path, output: SetupOutput, fetch: Fetch) -> None:
    for left in folder.glob("part-*"):  # from a killed download: we hold the lock, so it is not in use
        shutil.rmtree(left)
    part = Path(tempfile.mkdtemp(prefix="part-", dir=folder))
    total = sum(jar.size for jar in jars)
    try:
        space.need(folder, total, "Apache Kafka")
        with output.download(f"{len(jars)} jars of Apache Kafka", total) as advance:
            for jar, came in _each(jars, lambda jar: fetch(jar, part, advance)):
                if not _whole(jar, came):
                    raise JarsUnavailable(jar.coordinates, "what came does not have the pinned SHA-256")
                came.replace(folder / jar.filename)
    finally:
        shutil.rmtree(part, ignore_errors=True)  # an abandoned download may still write there


def _each(jars: list[Jar], fetch: Callable[[Jar], Path]) -> Iterator[tuple[Jar, Path]]:
    """Fetch PARALLEL jars at a time; raises the first error. On an interrupt the downloads are abandoned and the process
    can end at once; with a thread pool it would wait for its threads, as long as a server is silent."""
    waiting: Queue[Jar] = Queue()
    for jar in jars:
        waiting.put(jar)
    fetched: Queue[tuple[Jar, Future[Path]]] = Queue()

    def work() -> None:
        with suppress(Empty):
            while True:
                jar, future = waiting.get_nowait(), Future[Path]()
                fetched.put((jar, future))
                try:
                    future.set_result(fetch(jar))
                except Exception as error:  # noqa: BLE001  raised by the future's result
                    future.set_exception(error)

    for _ in range(PARALLEL):
        threading.Thread(target=work, name="jars", daemon=True).start()
    try:
        for _ in jars:
            jar, future = fetched.get()
            yield jar, future.result()
    finally:
        with suppress(Empty):
            while True:
                waiting.get_nowait()


def from_maven(jar: Jar, folder: Path, advance: Callable[[int], None]) -> Path:
    """Fetch from the public Maven repository that jgo uses."""
    import requests  # imported here: most starts find everything in the cache
    from jgo.maven import MavenContext

    place = f"{jar.group.replace('.', '/')}/{jar.artifact}/{jar.version}/{jar.filename}"
    repository = next(iter(MavenContext(repo_cache=folder).remote_repos.values()))
    path = folder / jar.filename
    try:
        verify = network.trusted(os.environ) or True
        with (
            requests.get(f"{repository}/{place}", stream=True, timeout=TIMEOUT_SECONDS, verify=verify) as answer,
            path.open("wb") as file,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_content(CHUNK_BYTES):
                file.write(chunk)
                advance(len(chunk))
    except ValueError as error:
        raise JarsUnavailable(jar.coordinates, str(error)) from error
    except OSError as error:  # includes the errors of requests
        raise JarsUnavailable(jar.coordinates, network.cause(str(error)) or str(error)) from error
    return path


def _whole(jar: Jar, path: Path) -> bool:
    if not path.is_file() or path.stat().st_size != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
