"""The tree that is worked on: Debian's Linux source, which the system's own package tool fetches once, or a made-up one of
the same shape. Every table names which one it is.

Beside it a second version of it (a seeded third of its files changed, some gone, some new), an archive, and a repository
with both versions under tags. Nothing here is watched."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli.up.embedded.jars import cache_folder

ENTRIES = 80_000
"""Of the whole tree, at least."""

SEED = 20_261
PER_DIRECTORY = 15
MEDIAN_BYTES = 5_000
LARGEST_BYTES = 1 << 20
_PACKAGE = "linux-source"

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Source:
    """What workloads are made from. `origin`: which tree it is, for the table."""

    origin: str
    entries: int
    first: Path
    second: Path
    archive: Path
    repository: Path


def obtain(folder: Path, scale: float, *, made_up: bool, announce: Announce) -> Source:
    """Made in `folder`, of `scale` of the whole tree's entries."""
    first = folder / "first"
    first.mkdir(parents=True)
    wanted = int(ENTRIES * scale)
    package = None if made_up else _cached(announce)
    announce("making the tree")
    if package is None:
        origin = "a made-up tree"
        _make_up(first, wanted)
    else:
        origin = package.name.removesuffix(".tar.xz")
        _unpack(package, first, wanted if scale < 1 else None)
    entries = sum(len(directories) + len(files) for _, directories, files in os.walk(first))
    source = Source(
        origin, entries, first, folder / "second", folder / "tree.tar", folder / "repository"
    )  # fmt: skip
    announce("making its second version, archive and repository")
    run("cp", "-a", str(first), str(source.second))
    _change(source.second)
    run("tar", "-C", str(first), "-cf", str(source.archive), ".")
    _commit_both(source)
    return source


def run(*command: str) -> None:
    """A tool, which must succeed."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _cached(announce: Announce) -> Path | None:
    """The archive in Debian's package; None where it is not available."""
    folder = cache_folder() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    if found := sorted(folder.glob(f"{_PACKAGE}-*.tar.xz")):
        return found[-1]
    if shutil.which("apt-get") is None:
        return None
    announce("fetching Debian's Linux source")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        try:
            listed = subprocess.run(
                ["apt-cache", "depends", _PACKAGE], check=True, capture_output=True, text=True
            ).stdout  # the package without a version only names the one that has the tree
            package = next(word for word in listed.split() if word.startswith(f"{_PACKAGE}-"))
            subprocess.run(["apt-get", "download", package], check=True, cwd=place, capture_output=True)
            run("dpkg-deb", "-x", str(next(Path(place).glob("*.deb"))), place)
        except (subprocess.CalledProcessError, StopIteration, OSError):
            return None
        archive = next(Path(place).glob("usr/src/*.tar.xz"))
        return archive.rename(folder / archive.name)


def _unpack(archive: Path, target: Path, entries: int | None) -> None:
    """The whole of it, or its first entries."""
    if entries is None:
        run("tar", "-C", str(target), "--strip-components=1", "-xf", str(archive))
        return
    with tarfile.open(archive, "r|xz") as members:
        for number, member in enumerate(members):
            if number > entries:
                break
            inner = member.name.removeprefix("./").partition("/")[2]
            if inner and not member.islnk():
                member.name = inner
                members.extract(member, target, filter="tar")


def _make_up(root: Path, entries: int) -> None:
    """Directories, files and sizes as in the kernel's tree: some fifteen files each, most of them small."""
    chance = random.Random(SEED)
    directories = [root]
    made = 0
    while made < entries:
        directory = chance.choice(directories[-200:]) / f"{chance.choice('abcdefgh')}{len(directories)}"
        directory.mkdir()
        directories.append(directory)
        made += 1
        for number in range(min(entries - made, int(chance.expovariate(1 / PER_DIRECTORY)) + 1)):
            size = min(int(chance.lognormvariate(0, 1.5) * MEDIAN_BYTES), LARGEST_BYTES)
            (directory / f"part_{number}.c").write_bytes(chance.randbytes(min(size, 64)) * (size // 64 + 1))
            made += 1


def _change(root: Path) -> None:
    """A seeded third of the files: most changed, some gone, some new beside them."""
    chance = random.Random(SEED)
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    for path in chance.sample(files, len(files) // 3):
        match chance.randrange(4):
            case 0:
                path.unlink()
            case 1:
                path.with_name(path.name + ".new").write_bytes(path.read_bytes())
            case _:
                with path.open("ab") as file:
                    file.write(b"changed\n")


def _commit_both(source: Source) -> None:
    folder = source.repository
    run("cp", "-a", str(source.first), str(folder))
    git = ("git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@localhost")
    run(*git, "init", "-q")
    for key, value in (("core.compression", "0"), ("gc.auto", "0"), ("core.autocrlf", "false")):
        run(*git, "config", key, value)
    for tag, version in (("first", None), ("second", source.second)):
        if version is not None:
            for entry in folder.iterdir():
                if entry.name != ".git":
                    run("rm", "-rf", str(entry))
            run("cp", "-a", f"{version}/.", str(folder))
        run(*git, "add", "-A", "-f")
        run(*git, "commit", "-q", "-m", tag)
        run(*git, "tag", tag)
    run(*git, "checkout", "-q", "first")
