"""Is the directory at the root's path still this root?

A root that is missing, unmounted, unreadable or swapped must never be taken for an empty one: only a root judged `same` may
be scanned, and only in such a root may anything be recorded as gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.identity import same_root
from schemas.raw import RootIdentity

Fault = Literal[
    "missing", "not_a_directory", "unreadable", "swapped", "replaced_by_empty", "unreachable", "refused", "unsupported"
]  # fmt: skip
"""Why a root cannot be observed. Only of a share: its server does not answer, does not let us in, or uses something that is
not supported here."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is at the path: its identity, and whether it has no entry at all."""

    identity: RootIdentity
    empty: bool


@dataclass(frozen=True, slots=True)
class Faulty:
    """It cannot be observed; `detail` is for people. `instead`: the identity of a directory that an operator may accept
    as the root (an empty one is not offered: it looks like a disk that is not mounted). `again_seconds`: it is not to be
    tried sooner than that."""

    cause: Fault
    detail: str
    instead: RootIdentity | None = None
    again_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Same:
    """It is the root. `identity`: the present one; its device number may differ after a reboot."""

    identity: RootIdentity


def judge(known: RootIdentity | None, seen: Seen | Faulty) -> Same | Faulty:
    """The first identity ever seen is adopted; afterwards it must be the same."""
    if isinstance(seen, Faulty):
        return seen
    if known is None or same_root(known, seen.identity):
        return Same(seen.identity)
    detail = f"another directory stands at its path ({_shown(seen.identity)}; known: {_shown(known)})"
    return Faulty("replaced_by_empty", detail) if seen.empty else Faulty("swapped", detail, seen.identity)


def _shown(identity: RootIdentity) -> str:
    return f"device {identity.dev}, file system {identity.fsid:x}, inode {identity.inode}"
