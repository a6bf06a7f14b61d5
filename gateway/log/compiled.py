"""The compiled form of a framer (`frames.c`), where this installation has it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from gateway.core.about import About
from gateway.log.compiling import MODULE, digest
from runtime import log


class Unpacked(NamedTuple):
    """A record (`schemas.log_record.StoredRecord`) that compiled code left to interpreted code."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


Left: TypeAlias = list[
    tuple[int, bytes | None, tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes]]]]
]
Unpack: TypeAlias = Callable[
    [tuple[bytes, ...], int, dict[bytes, About], int, bytes, int, int, int, int, int | None],
    tuple[list[int], list[int], list[bytes], list[About | None], Left, int, int],
]
"""See the docstring in `frames.c`."""

_log = log.get(__name__)


def compiled() -> Unpack | None:
    """The function; None, and a line in the log, if it was not compiled, or from another source than the one here: replays
    are framed by interpreted code then, with the same bytes."""
    try:
        module = importlib.import_module(MODULE)
    except ImportError as error:
        _log.info("replays are framed by interpreted code", reason=str(error))
        return None
    if module.source != digest():
        reason = "the compiled code is of another version: run `make setup`"
        _log.warning("replays are framed by interpreted code", reason=reason)
        return None
    unpack: Unpack = module.unpack
    return unpack
