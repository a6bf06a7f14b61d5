"""A reader's view of the fold's outputs: what is at each path, and which item is where. A small model that shares nothing
with the fold; it follows the one rule that the records guarantee: enter what is recorded at a path, and remove what a move
left, unless that place has been taken."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.model import Thing, Tree, path_of


@dataclass
class Reader:
    """Applies outputs one after another: topic, key and value as they are in the log."""

    trees: dict[str, Tree] = field(default_factory=dict)
    ids: dict[tuple[str, bytes], int] = field(default_factory=dict)
    items: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def read(self, topic: str, key: str, value: bytes | None) -> None:
        """Apply it."""
        if topic == "catalog.media.state.v1":
            self._item(int(key), value)
        elif topic == "catalog.fs.changes.v1" and value is not None:
            self._change(json.loads(value))

    def _item(self, id_: int, value: bytes | None) -> None:
        if value is None:
            del self.items[id_]
        else:
            item = json.loads(value)
            self.items[id_] = (item["storage_root"], path_of(item, "path"))

    def _change(self, change: dict[str, Any]) -> None:
        if change.get("settled") is False:
            return
        match change["kind"]:
            case "created" | "modified":
                self._enter(change)
            case "deleted":
                self._leave(change["root"], path_of(change, "path"), change)
            case "moved":
                if not change.get("from_taken"):
                    self._leave(change["from_root"], path_of(change, "from_path"), change)
                self._enter(change)

    def _enter(self, change: dict[str, Any]) -> None:
        root, path = change["root"], path_of(change, "path")
        is_dir = change["type"] == "dir"
        thing = Thing(
            change["type"],
            0 if is_dir else change.get("size", 0),
            0 if is_dir else change.get("mtime_ns", 0),
            None,
        )
        self.trees.setdefault(root, {})[path] = thing
        self.ids.pop((root, path), None)
        if change.get("media_id"):
            self.ids[root, path] = change["media_id"]

    def _leave(self, root: str, path: bytes, change: dict[str, Any]) -> None:
        if self.trees.get(root, {}).pop(path, None) is None:
            self.faults.append(f"{root}/{path!r} was not there: {change}")
        if self.ids.pop((root, path), None) != change.get("media_id"):
            self.faults.append(f"{root}/{path!r} was another item: {change}")
