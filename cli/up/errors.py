"""Errors while the platform starts; each is one line.

UpError               (a `CommandError`)
├── PortTaken         another program listens on our port
├── StateInUse        another `up` uses this state folder
├── DiskFull          too little free space to start
├── BrokenState       the state folder contains something that cannot be used
├── NewerState        a later minor version of the program has used the state folder
├── LogMoved          `catalogizer move-log` has moved the log to other brokers
├── JarsUnavailable   Kafka's jars are not in the cache and cannot be fetched
├── SystemUserMissing PostgreSQL refuses to run as root and there is no system user for it
├── NoServers         the installation has no embedded servers, as in the container image
├── NotHeld           a component could not be taken out of service
└── NotReady          a component did not start
"""

from __future__ import annotations

from pathlib import Path

from cli.errors import CommandError


class UpError(CommandError):
    """Base of these errors; its text is the line shown."""


class PortTaken(UpError):
    """`setting`: the variable that chooses the port."""

    retryable = True

    def __init__(self, port: int, setting: str) -> None:
        self.port = port
        self.setting = setting
        super().__init__(f"port {port} is taken by another program; free it, or choose another with {setting}")


class NoServers(UpError):
    """`package`: the package that would provide them and is not installed."""

    def __init__(self, package: str) -> None:
        self.package = package
        super().__init__(
            f"the embedded Kafka and PostgreSQL are not installed here ({package}), as in the container image: run watch,"
            " stream, project and serve on servers of your own"
        )


class StateInUse(UpError):
    """Another supervisor has locked the state folder. `owner`: its process, as text for people."""

    retryable = True

    def __init__(self, state_dir: Path, owner: str) -> None:
        self.state_dir = state_dir
        self.owner = owner
        super().__init__(
            f"{state_dir} is in use by another `catalogizer up`{owner}; end it, or set CATALOGIZER_STATE_DIR"
        )


class DiskFull(UpError):
    """`free` and `needed` in bytes; `what`: what the space is needed for."""

    retryable = True

    def __init__(self, folder: Path, free: int, needed: int, what: str) -> None:
        self.folder = folder
        self.free = free
        self.needed = needed
        super().__init__(
            f"{folder}: the disk is full: {free // 1_000_000} MB are free, {what} needs {needed // 1_000_000} MB"
        )


class BrokenState(UpError):
    """`path`: the file or folder; `what`: its fault and what to do."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        super().__init__(f"{path}: {what}")


class NewerState(UpError):
    """`found`: the version that used the folder last; `ours`: this program's."""

    def __init__(self, state_dir: Path, found: str, ours: str) -> None:
        self.found = found
        super().__init__(
            f"{state_dir} was last used by version {found}, and this is {ours}, which may not be able to read it:"
            f" run {found} or a later version, or restore a backup that {ours} or an earlier version made"
        )


class LogMoved(UpError):
    """`mark`: the file that says so; `where`: the other brokers."""

    def __init__(self, mark: Path, where: str) -> None:
        self.mark = mark
        super().__init__(
            f"the log was moved to {where}, and would continue here with other records at the same offsets: start with the"
            f" settings that `catalogizer move-log` printed; to use the log here all the same, delete {mark}"
        )


class JarsUnavailable(UpError):
    """`jar`: the coordinates."""

    retryable = True

    def __init__(self, jar: str, what: str) -> None:
        self.jar = jar
        super().__init__(f"cannot fetch {jar} from the Maven repository: {what}")


class SystemUserMissing(UpError):
    """`user`: the name that was looked for."""

    def __init__(self, user: str, what: str) -> None:
        self.user = user
        super().__init__(
            f"PostgreSQL does not run as root and system user {user!r} cannot be made ({what}); run as another "
            "user, or set CATALOGIZER_DATABASE__URL"
        )


class NotHeld(UpError):
    """`component`: its name."""

    retryable = True

    def __init__(self, component: str, what: str) -> None:
        self.component = component
        super().__init__(f"{component} cannot be held: {what}")


class NotReady(UpError):
    """`component`, with the last line of its log; `log`: the file with the rest."""

    retryable = True

    def __init__(self, component: str, what: str, log: Path | None = None) -> None:
        self.component = component
        super().__init__(f"{component} did not start: {what}" + (f" (log: {log})" if log else ""))
