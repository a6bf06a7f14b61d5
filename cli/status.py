"""`catalogizer status`: how the platform is, by what its processes and roots report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from msgspec import UNSET, Struct

from cli.console import print_json, print_table, run_async
from cli.options import AsJson

if TYPE_CHECKING:
    from cli.root_table import RootLine
    from runtime.kafka import Kafka
    from streams.status.telling import LatestUpdate

UNWELL = 1
"""Exit code where a component or a configured root is in error."""


class ComponentLine(Struct, frozen=True):
    """One component, or the queue of its work. `at`: since when it is so, ISO 8601."""

    name: str
    status: str
    message: str
    at: str


class Overview(Struct, frozen=True):
    """All of it."""

    components: list[ComponentLine]
    roots: list[RootLine]
    dead_letters: dict[str, int]
    """Open ones by topic; topics without any are left out."""

    @property
    def is_well(self) -> bool:
        """Nothing that should work is in error."""
        offline = [
            root for root in self.roots if root.configured and root.state in ("offline", "silent", "unknown")
        ]
        return not offline and all(line.status != "error" for line in self.components)


def status(as_json: AsJson = False) -> None:
    """Show how each component and each root is, as they report it. Exit code 1 where something is in error.

    \b
    catalogizer status
    catalogizer status --json | jq -r '.roots[] | select(.state=="offline") | .message'
    """
    from cli.installation import find, roots_here, tool_kafka
    from cli.root_table import known_roots
    from runtime.dlq.reading import glance

    settings = find()
    kafka = tool_kafka(settings, "status")
    here = roots_here(settings).specs.values()

    async def look() -> Overview:
        roots = await known_roots(kafka, here)
        return Overview(await _components(kafka), roots, await glance(kafka))

    found = run_async(look)
    if as_json:
        print_json(found)
    else:
        rows = [(line.name, line.status, line.at, line.message) for line in found.components]
        print_table("Components", ("component", "status", "since", "message"), rows)
        print_table("Roots", ("root", "state", "path", "message"), [_row(root) for root in found.roots])
        if found.dead_letters:
            counts = ", ".join(f"{count} in {topic}" for topic, count in found.dead_letters.items())
            print(f"dead letters: {counts}: catalogizer dlq list")
    if not found.is_well:
        raise typer.Exit(UNWELL)


def _row(root: RootLine) -> tuple[str, str, str, str]:
    message = root.message if root.configured else f"no longer configured; {root.message}"
    return root.name, root.state, root.path or "", message


async def _components(kafka: Kafka) -> list[ComponentLine]:
    from schemas.times import iso
    from streams.status.telling import read_states

    states = (await read_states(kafka)).values()
    return [
        ComponentLine(state.update.component, state.update.status, _text(state), iso(state.at))
        for state in sorted(states, key=lambda state: state.key)
        if state.update.action != "storage_update"
    ]


def _text(state: LatestUpdate) -> str:
    return "" if state.update.message is UNSET else state.update.message
