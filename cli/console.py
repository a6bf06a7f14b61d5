"""Output of commands: tables on a terminal, plain lines in a pipe, JSON for machines; errors on standard error.

An expected error is one line and an exit code; a traceback means a fault in the program.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from cli.errors import CommandError

T = TypeVar("T")
_ADDRESS_FAMILY = re.compile(r", <AddressFamily[^>]*>")

USAGE = 2
FAILED = 1
INTERRUPTED = 130
_EXPECTED_FROM = frozenset(
    {"cli", "producer", "streams", "gateway", "storage", "runtime", "schemas", "aiokafka", "psycopg"}
)
"""Packages whose errors are printed as one line; any other error is a fault in the program."""


def print_json(value: object) -> None:
    """One JSON document on one line."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal, tab-separated lines elsewhere."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_note(text: str) -> None:
    """Print a note for people, on standard error."""
    print(text, file=sys.stderr)


def run_async(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a tool's coroutine in an event loop. aiokafka's log is silenced: it also raises what it would log."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

    async def quietly() -> T:
        asyncio.get_running_loop().set_exception_handler(_handle)
        return await main()

    try:
        return asyncio.run(quietly())
    except BrokenPipeError:  # the reader of the pipe has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def run_to_exit(command: Callable[[], None]) -> int:
    """Run a command; the exit code. Expected errors become one line each on standard error."""
    try:
        command()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the outermost loop of every command
        return _print_errors(error)
    return 0


def _print_errors(error: Exception) -> int:
    from runtime.errors import SettingsError

    lines: dict[str, int] = {}
    for cause in _causes(error):
        if isinstance(cause, SettingsError):
            lines |= dict.fromkeys(cause.faults, USAGE)
        elif isinstance(cause, CommandError):
            lines[_line(cause)] = cause.exit_code
        elif _expected(cause):
            lines[_line(cause)] = FAILED
        else:
            raise error
    for text in lines:
        print_note(f"error: {text}")
    return max(lines.values())


def _causes(error: Exception) -> list[Exception]:
    """The error itself, or the errors of a group of tasks."""
    if isinstance(error, ExceptionGroup):
        return [cause for part in error.exceptions for cause in _causes(part)]
    return [error]


def _expected(error: Exception) -> bool:
    """True for errors of the operating system, and for those in our packages' error trees."""
    return isinstance(error, OSError | TimeoutError) or any(
        cls.__module__.split(".", 1)[0] in _EXPECTED_FROM for cls in type(error).__mro__
    )


def _line(error: Exception) -> str:
    name = type(error).__name__
    text = " ".join(str(error).split()).removeprefix(f"{name}: ")
    if name == "KafkaConnectionError":
        return f"cannot reach Kafka: {_ADDRESS_FAMILY.sub('', text)} (CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS)"
    if name == "KafkaTimeoutError":
        return f"Kafka does not answer: {text} (CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS)"
    return text or name


def _handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Ignore futures that aiokafka leaves behind; their error was already raised to the caller."""
    from aiokafka.errors import KafkaError

    if not isinstance(context.get("exception"), KafkaError):
        loop.default_exception_handler(context)
