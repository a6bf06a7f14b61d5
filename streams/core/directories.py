"""What is directly below each directory of a root, so that walking a directory costs its own size and not the root's.

A directory is in the table as long as anything is below it, whether it is known itself or not.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

Directories = dict[str, dict[str, None]]
"""By directory (the root is the empty path): the paths directly below it, in the order in which they came."""


def put(directories: Directories, path: str) -> None:
    """Something is at the path."""
    while True:
        above = path.rpartition("/")[0]
        there = directories.get(above)
        if there is not None:
            there[path] = None
            return
        directories[above] = {path: None}
        if not above:
            return
        path = above


def drop(directories: Directories, path: str, known: Container[str]) -> None:
    """Nothing is known at the path any more; what is below it stays. `known`: the known paths."""
    while path and path not in directories and path not in known:
        above = path.rpartition("/")[0]
        there = directories[above]
        del there[path]
        if there:
            return
        del directories[above]
        path = above


def below(directories: Directories, directory: str) -> Iterator[str]:
    """The directory, unless it is the root, and all paths below it, in any order."""
    todo = [directory]
    while todo:
        path = todo.pop()
        if path:
            yield path
        todo += directories.get(path, ())
