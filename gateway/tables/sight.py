"""Rights as a condition on rows with a library and a root: the one place for it in SQL."""

from __future__ import annotations

from typing import LiteralString

from gateway.core.rights import Rights


def sight(rights: Rights) -> dict[str, object]:
    """The values that the conditions name: `sees_all`, and the names of libraries and roots."""
    return {
        "sees_all": rights.all_roots,
        "seen_libraries": sorted(rights.libraries),
        "seen_roots": sorted(rights.roots),
    }


def by_root(column: LiteralString) -> LiteralString:
    """True if the root in that column is one that may be seen."""
    return column + " = ANY(%(seen_roots)s::text[])"


def by_library(column: LiteralString) -> LiteralString:
    """True if the library in that column is one that may be seen."""
    return column + " = ANY(%(seen_libraries)s::text[])"


def named(root: LiteralString, library: LiteralString) -> LiteralString:
    """True if a row's root or library is one that may be seen."""
    return "(" + by_root(root) + " OR " + by_library(library) + ")"


def seen(root: LiteralString, library: LiteralString) -> LiteralString:
    """True if a row may be seen, for any rights."""
    return "(%(sees_all)s OR " + named(root, library) + ")"
