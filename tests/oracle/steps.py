"""What can be done, a step a line: to the disk, or to the producer that watches it.

Paths are relative to a folder with two roots, `films` and `music`, and a place that nobody watches, `outside`. A step
that cannot be done (its file is gone) does nothing, so that any step can be left out of a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Deed = Literal[
    "write", "append", "truncate", "touch", "retag", "mode", "mkdir", "rmdir", "rmtree", "unlink", "rename",
    "exchange", "link", "symlink", "fifo", "fill",
]  # fmt: skip
"""`write`: anew, by opening, writing, closing; `retag`: other bytes, the same size and time; `fill`: a directory with
files in it and below it."""

Play = Literal["turn", "pause", "stop", "kill", "start", "quiet"]
"""`turn`: the producer of a root acts once; `pause`: ms pass; `kill`: at the next look at the tree; `quiet`: everything
comes to rest, and log and tree are compared."""

ROOTS = ("films", "music")
OUTSIDE = "outside"
PLACES = (*ROOTS, OUTSIDE)


@dataclass(frozen=True, slots=True)
class Step:
    """`path`: what it is done to (of a play: the root); `other`: the target of what has one; `number`: bytes, or ms.
    `within`: it is done in the middle of the producer's next turn, before its look of that number."""

    deed: Deed | Play
    path: str = ""
    other: str = ""
    number: int = 0
    within: int = 0

    def __str__(self) -> str:
        words = [self.deed, self.path or "-", self.other or "-", str(self.number), str(self.within)]
        while len(words) > 1 and words[-1] in ("-", "0"):
            words.pop()
        return " ".join(words)


def parse(line: str) -> Step:
    """What `str` of a step gave. Raises ValueError."""
    deed, path, other, number, within = (line.split() + ["", "-", "-", "0", "0"][len(line.split()) :])[:5]
    if deed not in (*get_args(Deed), *get_args(Play)):
        raise ValueError(f"no such step: {line}")
    return Step(deed, path.strip("-"), other.strip("-"), int(number), int(within))  # type: ignore[arg-type]


def parse_all(text: str) -> list[Step]:
    """A sequence, a step a line; `;` parts them too."""
    return [parse(line) for line in text.replace(";", "\n").splitlines() if line.strip()]
