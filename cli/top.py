"""`catalogizer top`: what `catalogizer status` shows, live, in one screen of any size."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import run_async
from cli.errors import CommandError
from cli.printable import printable
from cli.status import root_row, summary

if TYPE_CHECKING:
    from rich.live import Live

    from cli.overview import Overview

QUIT = b"qQ\x04"
"""Keys that end it, Ctrl-C aside."""
Look = Callable[[], Awaitable["Overview"]]


class NoTerminal(CommandError):
    """Standard input or output is no terminal."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__("top needs a terminal: `catalogizer status` prints the same once, --json for machines")


def top(
    every: Annotated[float, typer.Option(min=0.5, metavar="SECONDS", help="How often it looks.")] = 2.0,
) -> None:
    """Show what `status` shows, live. It ends with q or Ctrl-C.

    \b
    catalogizer top
    catalogizer top --every 5
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminal
    from cli.installation import find, roots_here, tool_kafka
    from cli.overview import look

    settings = find()
    kafka = tool_kafka(settings, "top")
    try:
        run_async(lambda: _live(lambda: look(kafka, roots_here(settings).specs.values()), every))
    except KeyboardInterrupt:
        return


def screen(found: Overview, width: int, height: int) -> list[str]:
    """The lines of a screen of this size; the last one counts what does not fit."""
    lines = [
        *(f"{line.status:<8} {line.name:<16} {line.message}" for line in found.components),
        "",
        *(f"{state:<8} {name:<16} {path}  {message}" for name, state, path, message in map(root_row, found.roots)),
        "",
    ]
    facts = summary(found)
    room = max(0, height - len(facts))
    if len(lines) > room:
        lines = [*lines[: max(0, room - 1)], f"… {len(lines) - max(0, room - 1)} more: catalogizer status"][:room]
    return [printable(line)[:width] for line in (*lines, *facts)][:height]


async def _live(look: Look, every: float) -> None:
    from rich.live import Live

    quitting = asyncio.Event()
    with _keys(quitting), Live(screen=True, auto_refresh=False) as live:
        while not quitting.is_set():
            looking = asyncio.create_task(_look_once(look, live))
            left = asyncio.create_task(quitting.wait())
            await asyncio.wait({looking, left}, return_when=asyncio.FIRST_COMPLETED)
            if looking.done():
                looking.result()
                await asyncio.wait({left}, timeout=every)
            for task in (looking, left):
                task.cancel()
            await asyncio.gather(looking, left, return_exceptions=True)


async def _look_once(look: Look, live: Live) -> None:
    """Read the state and show it; an error is shown instead, and the next call tries again."""
    from aiokafka.errors import KafkaError
    from rich.text import Text

    width, height = live.console.size
    footer = "q quits"
    try:
        lines = screen(await look(), width, height - 1)
    except (KafkaError, OSError, TimeoutError, CommandError) as error:
        lines = [printable(" ".join(f"no answer, trying again: {error}".split()))[:width]]
    live.update(Text("\n".join([*lines, footer]), no_wrap=True, overflow="crop"), refresh=True)


@contextmanager
def _keys(quitting: asyncio.Event) -> Iterator[None]:
    """Read keys one by one without echo during the block; the terminal is restored afterwards."""
    loop, terminal = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def pressed() -> None:
        keys = os.read(terminal, 64)
        if not keys or any(key in QUIT for key in keys):
            quitting.set()

    tty.setcbreak(terminal)
    loop.add_reader(terminal, pressed)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
