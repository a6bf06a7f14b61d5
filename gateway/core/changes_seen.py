"""Changes as a caller may see them: what moved out of sight is shown as deleted, what moved into sight as created, as in
live delivery (`core.view`). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.rights import Rights

_WHENCE = ("from_root", "from_path", "from_path_b64", "from_taken")


def seen_as(record: Mapping[str, Any], rights: Rights) -> Mapping[str, Any] | None:
    """A change record as it is shown; None if it is hidden."""
    if rights.all_roots:
        return record
    library, root = str(record.get("library", "")), str(record.get("root", ""))
    was = record.get("from_root")
    here = rights.sees(library, root)
    there = here if not isinstance(was, str) else rights.sees(library, was)
    if here and there:
        return record
    if not here and not there:
        return None
    shown = {name: value for name, value in record.items() if name not in _WHENCE}
    if here:
        return shown | {"kind": "created"}
    shown.pop("path_b64", None)
    if from_b64 := record.get("from_path_b64"):
        shown["path_b64"] = from_b64
    return shown | {"kind": "deleted", "root": was, "path": record.get("from_path")}
