"""The form of everything that is stored, as data, and whether what one program writes can be read by another.

`python -m tests.support.formats` writes `tests/golden/formats/<major.minor>.json` of this version. Within a minor version
only optional fields may be added to records, and nothing else may change; across minor versions whatever was ever written
to the log must stay readable.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.backup import manifest
from cli.provisioning.tables import migrations
from cli.up.state_version import minor_of
from producer.database import Database
from schemas import __version__
from schemas.topics import ALL_TOPICS, DATA_TOPICS, DEFAULT_LANES
from streams.core.rules import RULES
from streams.library import snapshots
from tools.records import topic_schema

FORMATS = Path(__file__).parents[1] / "golden" / "formats"
WORDS = frozenset({"title", "description", "$id", "$schema"})
"""Of a schema: for people."""
MAPS = frozenset({"properties", "$defs"})
"""Of a schema: their names are not of its language."""


def current() -> dict[str, Any]:
    """The forms of this program."""
    return {
        "version": ".".join(map(str, minor_of(__version__))),
        "frozen": {
            "migrations": {one.name: one.checksum for one in migrations()},
            "index": _index(),
            "rules": {str(version): rules.digest for version, rules in sorted(RULES.items())},
            "snapshot": snapshots.FORMAT,
            "backup": manifest.FORMAT,
            "topics": {
                topic.name: {
                    "key": topic.key,
                    "partitions": topic.partition_count(DEFAULT_LANES),
                    "cleanup": topic.cleanup,
                }
                for topic in ALL_TOPICS
            },
        },
        "records": {topic.name: _bare(topic_schema(topic)) for topic in DATA_TOPICS},
    }


def path_of(version: str) -> Path:
    """The golden file of a version's minor version."""
    return FORMATS / "{}.{}.json".format(*minor_of(version))


def _index() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        Database(path).close()
        with sqlite3.connect(path) as connection:
            rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")
            return [" ".join(str(row[0]).split()) for row in rows]


def _bare(schema: Any, *, names: bool = False) -> Any:
    """Without what is for people. `names`: its keys are names."""
    if isinstance(schema, dict):
        return {
            name: _bare(value, names=name in MAPS and not names)
            for name, value in schema.items()
            if names or name not in WORDS
        }
    return [_bare(one) for one in schema] if isinstance(schema, list) else schema


def unreadable(writer: dict[str, Any], reader: dict[str, Any]) -> list[str]:
    """What a program with the schema `writer` may write and one with the schema `reader` rejects, a line each; whole
    schemas as msgspec makes them. Unknown fields are no fault: they are ignored."""
    return list(_Comparison(writer, reader).compare(writer, reader, ""))


class _Comparison:
    def __init__(self, writer: dict[str, Any], reader: dict[str, Any]) -> None:
        self._writer = writer.get("$defs", {})
        self._reader = reader.get("$defs", {})
        self._open: set[tuple[str, str]] = set()

    def compare(self, writer: dict[str, Any], reader: dict[str, Any], at: str) -> Iterator[str]:
        pair = (str(writer.get("$ref")), str(reader.get("$ref")))
        if "None" not in pair:
            if pair in self._open:  # a record that contains its own kind
                return
            self._open.add(pair)
        writer, reader = _resolved(writer, self._writer), _resolved(reader, self._reader)
        if alternatives := writer.get("anyOf"):
            for one in alternatives:
                yield from self.compare(one, reader, at)
        elif alternatives := reader.get("anyOf"):
            yield from self._any_of(writer, alternatives, at)
        else:
            yield from self._one(writer, reader, at)
        self._open.discard(pair)

    def _any_of(self, writer: dict[str, Any], alternatives: list[dict[str, Any]], at: str) -> Iterator[str]:
        tag = _tag(writer)
        faults = [
            list(self.compare(writer, one, at))
            for one in alternatives
            if tag is None or tag == _tag(_resolved(one, self._reader))
        ]
        if not faults:
            yield f"{at}: {tag} is not known"
        elif all(faults):
            yield from min(faults, key=len)

    def _one(self, writer: dict[str, Any], reader: dict[str, Any], at: str) -> Iterator[str]:
        if "enum" in reader:
            unknown = set(map(str, writer.get("enum", ["any"]))) - set(map(str, reader["enum"]))
            if unknown:
                yield f"{at}: {', '.join(sorted(unknown))} is not known"
        elif "type" in reader:
            written = writer.get("type", _type_of_values(writer))
            if written != reader["type"] and (written, reader["type"]) != ("integer", "number"):
                yield f"{at}: {reader['type']} was {written}"
        for limit in ("minLength", "maxLength", "minimum", "maximum", "pattern", "contentEncoding"):
            if limit in reader and reader[limit] != writer.get(limit):
                yield f"{at}: {limit} {reader[limit]} was {writer.get(limit)}"
        fields = writer.get("properties", {})
        for name, field in reader.get("properties", {}).items():
            if name in fields:
                yield from self.compare(fields[name], field, f"{at}.{name}")
            if name in reader.get("required", ()) and name not in writer.get("required", ()):
                yield f"{at}.{name}: is required and may be missing"
        for inner in ("items", "additionalProperties"):
            if isinstance(reader.get(inner), dict):
                yield from self.compare(writer.get(inner) or {}, reader[inner], f"{at}[]")


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref")
    return definitions[name.rpartition("/")[2]] if isinstance(name, str) else schema


def _tag(schema: dict[str, Any]) -> str | None:
    """What distinguishes a record of a union: the only value of a field that has one."""
    for name in ("kind", "action", "what", "state", "type"):
        values = schema.get("properties", {}).get(name, {}).get("enum", ())
        if len(values) == 1:
            return f"{name} {values[0]}"
    return None


def _type_of_values(schema: dict[str, Any]) -> str | None:
    return "string" if all(isinstance(value, str) for value in schema.get("enum", [None])) else None


def main() -> None:
    """Write the golden file of this minor version."""
    path = path_of(__version__)
    path.write_text(json.dumps(current(), indent=1, ensure_ascii=False) + "\n")
    print(path.name)


if __name__ == "__main__":
    main()
