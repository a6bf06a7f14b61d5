"""Roles: what an account may do with what `core.rights` lets it see. One table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Permission = Literal[
    "read:media", "view:analysis", "read:collections", "manage:subtitles", "convert:media", "write:notifications",
    "request:scans", "request:analysis", "correct:media", "replay:changes", "manage:users", "read:audit", "inspect:gateway",
    "manage:dead_letters", "retire:roots",
]  # fmt: skip
"""The first five have the names that existing clients use."""


@dataclass(frozen=True, slots=True)
class Role:
    """`name` is for people."""

    id: int
    name: str
    permissions: tuple[Permission, ...]


_VIEWER: tuple[Permission, ...] = ("read:media", "view:analysis", "read:collections")
_OPERATOR: tuple[Permission, ...] = (
    *_VIEWER, "manage:subtitles", "convert:media", "write:notifications", "request:scans", "request:analysis",
    "correct:media", "replay:changes",
)  # fmt: skip

ADMIN = Role(
    1,
    "Admin",
    (*_OPERATOR, "manage:users", "read:audit", "inspect:gateway", "manage:dead_letters", "retire:roots"),
)
"""Everything, other accounts included."""
VIEWER = Role(2, "Viewer", _VIEWER)
"""Reads only."""
OPERATOR = Role(3, "Operator", _OPERATOR)
"""Requests scans and analyses, corrects items, replays changes, notifies."""

ROLES = {role.id: role for role in (ADMIN, VIEWER, OPERATOR)}
ROLE_IDS = {role.name.lower(): role.id for role in ROLES.values()}
"""Ids by the names that commands and settings use."""


def role_of(role_id: int) -> Role:
    """The role; an unknown one may do what a viewer may."""
    return ROLES.get(role_id, VIEWER)
