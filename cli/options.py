"""Options that several commands share, defined once so that they mean the same everywhere."""

from __future__ import annotations

import difflib
from typing import Annotated

import typer

from cli.errors import BadArgument
from schemas.channels import CHANNELS
from schemas.topics import BY_NAME, Topic

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for machines instead of text for people.")]
Execute = Annotated[
    bool,
    typer.Option("--execute/--dry-run", help="Do it; by default only what would be done is shown."),
]


def find_topic(name: str, prefix: str = "") -> Topic:
    """A topic by its name (with or without the installation's prefix) or by a channel's. Raises BadArgument with similar
    names."""
    if (channel := CHANNELS.get(name)) is not None:
        if channel.topic is None:
            raise BadArgument(name, "this channel has no topic yet")
        return channel.topic
    topic = BY_NAME.get(name.removeprefix(prefix))
    if topic is None:
        close = [known for known in (*CHANNELS, *BY_NAME) if name.lower() in known]
        close = close or difflib.get_close_matches(name, (*CHANNELS, *BY_NAME), n=2)
        hint = f"did you mean {' or '.join(close[:3])}?" if close else "see `catalogizer topics list`"
        raise BadArgument(name, f"no such topic or channel; {hint}")
    return topic
