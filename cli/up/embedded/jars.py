"""Kafka's jars: named by coordinates and SHA-256 in `infra/kafka/jars.lock`, fetched once, verified at every use.

The cache is the user's and shared by all checkouts. A jar enters it by a rename after its hash was right; one that
is damaged later is noticed at the next use and fetched again. What the repository serves under the right name with
the wrong hash is refused.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.up import space
from cli.up.errors import BrokenState, JarsUnavailable
from cli.up.telling import Telling

LOCK_FILE = Path(__file__).parents[3] / "infra" / "kafka" / "jars.lock"
PARALLEL = 4
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
"""Puts a jar somewhere below a folder and returns its path, told of bytes that come. Raises JarsUnavailable."""


def locked(*sets: str, path: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The jars of the named sets. Raises BrokenState where the lock file is not one."""
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


def obtain(jars: Iterable[Jar], folder: Path, telling: Telling, fetch: Fetch | None = None) -> tuple[Path, ...]:
    """Paths of the jars, every one of them whole. Fetches what is missing or damaged; any number of processes may
    do so at once. Raises JarsUnavailable, OSError."""
    wanted = tuple(jars)
    folder.mkdir(parents=True, exist_ok=True)
    if not all(_whole(jar, folder / jar.filename) for jar in wanted):
        with _alone(folder):
            missing = [jar for jar in wanted if not _whole(jar, folder / jar.filename)]
            for jar in missing:
                if (folder / jar.filename).exists():
                    telling.say(f"{jar.filename} in the cache is damaged: fetching it again")
            if missing:
                _fetch_all(missing, folder, telling, fetch or from_maven)
    return tuple(folder / jar.filename for jar in wanted)


def _fetch_all(jars: list[Jar], folder: Path, telling: Telling, fetch: Fetch) -> None:
    for left in folder.glob("part-*"):  # of a killed download: we hold the lock, so nobody works in it
        shutil.rmtree(left)
    part = Path(tempfile.mkdtemp(prefix="part-", dir=folder))
    total = sum(jar.size for jar in jars)
    try:
        space.need(folder, total, "Apache Kafka")
        with telling.download(f"{len(jars)} jars of Apache Kafka", total) as advance:
            pool = ThreadPoolExecutor(PARALLEL)
            try:
                for jar, came in zip(jars, pool.map(lambda jar: fetch(jar, part, advance), jars), strict=True):
                    if not _whole(jar, came):
                        raise JarsUnavailable(jar.coordinates, "what came does not have the pinned SHA-256")
                    came.replace(folder / jar.filename)
            finally:
                pool.shutdown(cancel_futures=True)
    finally:
        shutil.rmtree(part)


def from_maven(jar: Jar, folder: Path, advance: Callable[[int], None]) -> Path:
    """Fetch from the public Maven repository, as jgo knows it."""
    import requests  # imported here: most starts find everything in the cache
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def progress(_name: str, _total: int) -> Iterator[Callable[[int], None]]:
        yield advance

    context = MavenContext(resolver=PythonResolver(progress_callback=progress), repo_cache=folder, timeout=30)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    try:
        path = context.resolver.download(artifact)
    except requests.RequestException as error:
        raise JarsUnavailable(jar.coordinates, f"{type(error).__name__}; is there a network?") from error
    except RuntimeError as error:  # jgo's word for "not found" and for a wrong SHA-1
        raise JarsUnavailable(jar.coordinates, str(error).splitlines()[0]) from error
    except OSError as error:
        raise JarsUnavailable(jar.coordinates, f"it cannot be written to {folder}: {error.strerror}") from error
    if path is None:
        raise JarsUnavailable(jar.coordinates, "not found")
    return Path(path)


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
