"""What can be done, a step a line: to the disk, or to the producer that watches it.

Paths are relative to a folder with two roots, `films` and `music`, and an unwatched place, `outside`. A step that is not
possible (its file is gone) does nothing, so that any step can be left out of a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

Action = Literal[
    "write", "append", "truncate", "touch", "retag", "mode", "mkdir", "rmdir", "rmtree", "unlink", "rename",
    "exchange", "link", "symlink", "fifo", "fill", "copy", "clone",
]  # fmt: skip
"""`write`: from the beginning, by opening, writing, closing; `retag`: other bytes, the same size and time; `fill`: a
directory with files in it and below it; `clone`: a copy with the same times."""

Play = Literal["turn", "pause", "stop", "kill", "start", "quiet"]
"""`turn`: the producer of a root acts once; `pause`: ms pass; `kill`: at the next access to the tree; `quiet`: everything
comes to rest, and log and tree are compared."""

Fault = Literal["slay", "freeze", "thaw", "down", "up"]
"""Only with the whole pipeline (`tests.oracle.line`), to `watch`, `stream` or `project`: kill -9 and started again, SIGSTOP,
SIGCONT; to the `broker`: kill -9, and started again when it has been away for so many ms."""

ROOTS = ("films", "music")
OUTSIDE = "outside"
PLACES = (*ROOTS, OUTSIDE)


@dataclass(frozen=True, slots=True)
class Step:
    """`path`: what it is done to (of a play: the root; of a fault: the process); `other`: the target of what has one;
    `number`: bytes, or ms. `within`: it is done in the middle of the producer's next turn, before its access of that
    number."""

    action: Action | Play | Fault
    path: str = ""
    other: str = ""
    number: int = 0
    within: int = 0

    def __str__(self) -> str:
        number = str(self.number) if self.number else ""
        within = f"@{self.within}" if self.within else ""
        return " ".join(word for word in (self.action, self.path, self.other, number, within) if word)


def parse(line: str) -> Step:
    """The step of a line that `str` returned. Raises ValueError."""
    action, *words = line.split()
    if action not in (*get_args(Action), *get_args(Play), *get_args(Fault)):
        raise ValueError(f"no such step: {line}")
    within = [int(word[1:]) for word in words if word.startswith("@")]
    number = [int(word) for word in words if word.isdigit()]
    path, other, *_ = [word for word in words if not word.isdigit() and not word.startswith("@")] + ["", ""]
    return Step(cast(Action, action), path, other, *(number or [0]), *(within or [0]))


def parse_all(text: str) -> list[Step]:
    """A sequence, a step a line, or separated by `;`."""
    return [parse(line) for line in text.replace(";", "\n").splitlines() if line.strip()]
