"""Reads a password from a prompt, standard input or a file; never from an argument, which every user of the machine could
read in the process list."""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import BadArgument

GENERATED_BYTES = 12

FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
FromFile = Annotated[
    Path | None, typer.Option("--password-file", metavar="PATH", help="Read the password from a file.")
]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password and print it.")]


@dataclass(frozen=True, slots=True)
class Password:
    """`generated`: generated here, so it must be shown once."""

    text: str
    generated: bool = False


def read(name: str, *, stdin: bool, file: Path | None, generate: bool) -> Password:
    """The password for account `name`; without an option, a terminal prompts for it twice. One newline at the end of a file
    or of standard input is not part of it. Raises BadArgument, OSError."""
    if stdin + (file is not None) + generate > 1:
        raise BadArgument("--password-stdin, --password-file, --generate", "one of them at most")
    if generate:
        return Password(made(), generated=True)
    if file is not None:
        return Password(_line(str(file), file.read_bytes()))
    if stdin:
        return Password(_line("--password-stdin", sys.stdin.buffer.read()))
    if not sys.stdin.isatty():
        raise BadArgument(
            "password", "none given: --password-stdin, --password-file PATH, --generate, or a terminal to ask on"
        )
    typed: str = typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True, err=True)
    return Password(typed)


def made() -> str:
    """A random password."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def _line(where: str, given: bytes) -> str:
    try:
        return given.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise BadArgument(where, "the password is not UTF-8 text") from error
