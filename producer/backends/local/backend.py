"""A root at a local path behind the interface `Backend`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from producer.backends.interface import Watch
from producer.backends.local.mounted import mounts_below
from producer.backends.local.tree import LocalTree
from producer.backends.local.watch import InotifyWatch
from producer.core.identity import Faulty
from producer.errors import RootFault, WatchUnavailable
from schemas.raw import RootIdentity

INSTANCES = "fs.inotify.max_user_instances"


class LocalBackend:
    """`make_watch` creates the watch of the root; raises OSError where the kernel provides no instance."""

    reports_all = True

    def __init__(self, root: Path, make_watch: Callable[[Path, Callable[[], None]], Watch] = InotifyWatch) -> None:
        self._root = root
        self._make_watch = make_watch

    def open(self) -> LocalTree:
        """See the interface."""
        try:
            return LocalTree(os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        except FileNotFoundError as error:
            raise RootFault(Faulty("missing", f"{self._root} does not exist")) from error
        except NotADirectoryError as error:
            raise RootFault(Faulty("not_a_directory", f"{self._root} is not a directory")) from error
        except OSError as error:
            raise RootFault(Faulty("unreadable", f"{self._root} cannot be read: {error.strerror}")) from error

    def mounts(self) -> Mapping[str, RootIdentity]:
        """See the interface."""
        try:
            root = os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return {}
        try:
            return mounts_below(root, os.path.realpath(self._root))
        finally:
            os.close(root)

    def watch(self, wake: Callable[[], None]) -> Watch:
        """See the interface."""
        try:
            return self._make_watch(self._root, wake)
        except OSError as error:
            raise WatchUnavailable(f"no inotify instance is free ({INSTANCES}): {error.strerror}") from error

    def close(self) -> None:
        """Nothing is kept between two accesses."""
