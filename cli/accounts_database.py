"""Shared by `catalogizer user` and `catalogizer token`: the accounts' database, rights as options, and broken rules as
argument errors."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cli.console import run_async
from cli.errors import BadArgument

if TYPE_CHECKING:
    from gateway.core.rights import Rights

T = TypeVar("T")

BY = "command line"
Channels = Annotated[
    list[str] | None, typer.Option("--channel", metavar="NAME", help="A channel that it may follow; default: all.")
]
Libraries = Annotated[
    list[str] | None, typer.Option("--library", metavar="NAME", help="A library of which it sees every root.")
]
Roots = Annotated[
    list[str] | None, typer.Option("--root", metavar="NAME", help="A root that it sees; without any: all.")
]


class RoleName(StrEnum):
    """A role: do everything, request operations, or read."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


def rights_of(channels: list[str] | None, libraries: list[str] | None, roots: list[str] | None) -> Rights:
    """The rights that the options express: what is not named is not restricted, but a library restricts roots, and a root
    restricts libraries."""
    from gateway.core.rights import ALL, Rights

    restricted = bool(libraries or roots)
    return Rights.of(channels or [ALL], libraries or [], (roots or []) if restricted else [ALL])


def shown(rights: Rights) -> str:
    """Rights as short text."""
    roots = (
        "all roots"
        if rights.all_roots
        else ", ".join(
            [
                *(f"library {name}" for name in sorted(rights.libraries)),
                *(f"root {name}" for name in sorted(rights.roots)),
            ]
        )
    )
    channels = "" if rights.may_follow("") else "; channels " + ", ".join(sorted(rights.channels))
    return (roots or "no root") + channels


def changed(work: Callable[[str], Coroutine[Any, Any, T]]) -> T:
    """Run `work` with the database's URL; its result."""
    from cli.installation import database_url
    from cli.settings import Settings
    from runtime import log
    from runtime.configuration import load

    url = database_url()
    log.configure(load(Settings).log, "user")
    with rules():
        return run_async(lambda: work(url))


@contextmanager
def rules() -> Iterator[None]:
    """Turn a BrokenRule of the block into a BadArgument."""
    from gateway.access.account_rules import BrokenRule

    try:
        yield
    except BrokenRule as error:
        raise BadArgument(error.field, error.rule) from error
