"""The block that is printed when the platform is ready: where to look, how to sign in, what is wrong with a root, what
to try. The suggested commands can be typed as shown, and do not change the user's own libraries."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.up.output import SetupOutput
from producer.settings import RootSpec

WIDTH = 80
_RULE = "─" * (WIDTH - 1)


@dataclass(frozen=True, slots=True)
class Ready:
    """The contents of the block. `sign_in`: lines. `demo`: the roots are the demo library's, whose files may be changed."""

    url: str
    sign_in: Sequence[str]
    roots: Sequence[RootSpec]
    demo: bool
    command: str


def lines(ready: Ready) -> list[tuple[str, str]]:
    """Label and text of each line; an empty label continues the one above."""
    found = [("page", ready.url), *_labelled("sign in", ready.sign_in)]
    for number, root in enumerate(ready.roots):
        found.append(("library" if number == 0 else "", f"{root.name}: {typed(root.path)}"))
        if (problem := problem_of(root.path)) is not None:
            found.append(("", f"  ! {problem}"))
    if ready.demo:
        first = typed(ready.roots[0].path)
        found += [
            ("try", f"cp SOME_FILE {first}/"),
            ("", f"(cd {first} && mv SOME_FILE NEW_NAME)"),
            ("", "on the page after two seconds; renamed, it keeps its id"),
        ]
    return [
        *found,
        ("again", f"{ready.command} tap media_updates --from earliest"),
        ("", "all that happened, as the page's Replay has it"),
        ("end", "Ctrl-C"),
    ]


def problem_of(path: Path) -> str | None:
    """Why a root cannot be watched; None if it can."""
    try:
        with os.scandir(path):
            return None
    except FileNotFoundError:
        return "does not exist: nothing is watched there until it does"
    except NotADirectoryError:
        return "is not a directory"
    except PermissionError:
        return "may not be read by the user that runs this"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def typed(path: Path) -> str:
    """A path as typed in a shell: relative to the working directory if that is shorter, quoted if necessary."""
    relative = os.path.relpath(path)
    short = relative if not relative.startswith("..") and len(relative) < len(str(path)) else str(path)
    return shlex.quote(short)


def command() -> str:
    """How to type the command: its path beside the running Python, if it is installed there."""
    beside = Path(sys.executable).with_name("catalogizer")
    return typed(beside) if beside.exists() else "catalogizer"


def announce(output: SetupOutput, ready: Ready) -> None:
    """Print it."""
    body = "\n".join(f"{label:9}{text}" for label, text in lines(ready))
    output.print(f"{_RULE}\nCatalogizer is ready\n{body}\n{_RULE}")


def _labelled(label: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    return [(label if number == 0 else "", text) for number, text in enumerate(texts)]
