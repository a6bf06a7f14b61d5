"""`python -m cli.from_environment NAME=FILE… -- ARGUMENT…`: writes secrets of the environment into files, then becomes
`catalogizer ARGUMENT…`, without these variables.

For deployments that pass secrets only in the environment (ECS), where a setting needs the path of a file. The image has no
shell that could do it. Files are readable only by their owner and whole when the program starts: after a kill the next start
writes them anew. Imports nothing but the standard library and our errors.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from cli.errors import CommandError

PRIVATE = 0o600
SEPARATOR = "--"


class NotWritten(CommandError):
    """Why a file is not written; never with the secret."""

    exit_code = 2


def write(files: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Write the files; returns the environment without their variables. Raises NotWritten."""
    left = dict(environment)
    for pair in files:
        name, separator, path = pair.partition("=")
        if not (name and separator and path):
            raise NotWritten(f"{pair}: must be NAME=FILE")
        if name not in environment:
            raise NotWritten(f"{name}: not set; {path} is to be written from it")
        try:
            _write(Path(path), environment[name])
        except OSError as error:
            raise NotWritten(f"{name}: {path} cannot be written: {error.strerror}") from error
        left.pop(name, None)
    return left


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w") as file:
        file.write(text)
    part.replace(path)


def main(arguments: Sequence[str]) -> NoReturn:
    """Does not return; exits with 2 if a file cannot be written."""
    files = list(arguments)
    if SEPARATOR not in files:
        _end("usage: python -m cli.from_environment NAME=FILE… -- ARGUMENT…")
    at = files.index(SEPARATOR)
    try:
        environment = write(files[:at], os.environ)
    except NotWritten as error:
        _end(str(error))
    os.execve(sys.executable, [sys.executable, "-m", "cli.main", *files[at + 1 :]], environment)  # noqa: S606


def _end(line: str) -> NoReturn:
    print(line, file=sys.stderr)
    sys.exit(NotWritten.exit_code)


if __name__ == "__main__":
    main(sys.argv[1:])
