"""Which paths belong to a root: never NAS junk and the operator's excludes; and where includes are given, only files that
match one of them.

A pattern without `/` matches a name at any depth, one with `/` a path from the root; what is excluded is excluded
with everything below it. `*` and `?` stop at `/`, `**` does not. Matching is exact as to case."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SIGNS = frozenset("*?[")
"""Characters that make a pattern more than a name."""


class Filters:
    """Compiled patterns of one root."""

    def __init__(self, exclude: Iterable[str], include: Iterable[str] = ()) -> None:
        exclude, include = tuple(exclude), tuple(include)
        names = [p for p in exclude if "/" not in p]
        self._plain_names = frozenset(
            p for p in names if _SIGNS.isdisjoint(p)
        )  # most are, and a set is quicker to ask
        self._names = _any(_regex(p) for p in names if p not in self._plain_names)
        self._paths = _any(_regex(p.strip("/")) + "(?:/.*)?" for p in exclude if "/" in p)
        self._include = _any(
            ("(?:.*/)?" if "/" not in p else "") + _regex(p.strip("/")) for p in include
        )  # fmt: skip

    def admits(self, path: str, *, is_dir: bool) -> bool:
        """True when the path is observed. Checks every component, so its parents need not have been checked."""
        return not any(map(self._excludes_name, path.split("/"))) and self._below(path, is_dir)

    def admits_child(self, path: str, name: str, *, is_dir: bool) -> bool:
        """As `admits`, for the path of an entry of a directory that is itself admitted, and its name there."""
        return not self._excludes_name(name) and self._below(path, is_dir)

    def _excludes_name(self, name: str) -> bool:
        return name in self._plain_names or (self._names is not None and self._names.match(name) is not None)

    def _below(self, path: str, is_dir: bool) -> bool:
        if self._paths is not None and self._paths.match(path):
            return False
        return is_dir or self._include is None or self._include.match(path) is not None


def _any(patterns: Iterable[str]) -> re.Pattern[str] | None:
    alternatives = tuple(patterns)
    if not alternatives:
        return None
    return re.compile("(?:" + "|".join(alternatives) + r")\Z", re.DOTALL)


def _regex(glob: str) -> str:
    out, at = [], 0
    while at < len(glob):
        piece, at = _piece(glob, at)
        out.append(piece)
    return "".join(out)


def _piece(glob: str, at: int) -> tuple[str, int]:
    if glob.startswith("**/", at):
        return "(?:.*/)?", at + 3
    if glob.startswith("**", at):
        return ".*", at + 2
    match glob[at]:
        case "*":
            return "[^/]*", at + 1
        case "?":
            return "[^/]", at + 1
        case "[" if (end := glob.find("]", at + 2)) > 0:
            inner = glob[at + 1 : end].replace("\\", r"\\").replace("[", r"\[")
            negated = inner.startswith(("!", "^"))
            return ("[^/" if negated else "[") + inner[1 if negated else 0 :] + "]", end + 1
        case char:
            return re.escape(char), at + 1
