"""What somebody may see, as a condition on rows that name a library and a root."""

from __future__ import annotations

from gateway.core.rights import Rights


def sight(rights: Rights) -> dict[str, object]:
    """The values that the conditions of the queries name: `sees_all`, and the names of libraries and roots."""
    return {
        "sees_all": rights.all_roots,
        "seen_libraries": sorted(rights.libraries),
        "seen_roots": sorted(rights.roots),
    }
