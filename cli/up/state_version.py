"""The version of the program in the state folder: what a later minor version has used is not touched by an earlier one.

Within a minor version (0.1.0, 0.1.1, …) everything that is stored keeps its form, so any of its programs may follow any
other. A later minor version may change the database, the rules and the index, and there is no way back but a backup.
"""

from __future__ import annotations

import re

from cli.up.errors import BrokenState, NewerState
from cli.up.secret_file import keep
from cli.up.state import StateFolder
from runtime.health import product_version

_MINOR = re.compile(r"(\d+)\.(\d+)(?:\D.*)?")


def take_up(state: StateFolder) -> None:
    """Record that this program uses the state from now on. Raises NewerState if a later minor version has used it, then
    nothing was changed; BrokenState, OSError."""
    path = state.version_file
    if path.exists() and (found := path.read_text(errors="replace").strip()):
        if not is_version(found):
            raise BrokenState(path, "is no version: write the version of the program that used this folder last")
        if is_later(found):
            raise NewerState(state.folder, found, product_version())
        if found == product_version():
            return
    keep(path, product_version())


def is_version(text: str) -> bool:
    """True for a version of ours, as `0.1.0` and `0.2.0rc1`."""
    return _MINOR.fullmatch(text) is not None


def is_later(version: str) -> bool:
    """True for a version of a later minor version than this program's."""
    return minor_of(version) > minor_of(product_version())


def minor_of(version: str) -> tuple[int, int]:
    """Its major and minor number. Raises ValueError for what is no version."""
    if (found := _MINOR.fullmatch(version)) is None:
        raise ValueError(version)
    return int(found[1]), int(found[2])
