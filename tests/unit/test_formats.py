"""What is stored keeps its form: within a minor version programs can follow each other in any order, and whatever any
released version has written to the log stays readable."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from schemas import __version__
from tests.support.formats import FORMATS, current, path_of, unreadable
from tests.support.golden_state import STATES

NOW = current()
OTHERS = {path.stem: json.loads(path.read_text()) for path in FORMATS.glob("*.json")}
SAME = json.loads(path_of(__version__).read_text()) if path_of(__version__).exists() else None
RENEW = "python -m tests.support.formats"


def test_this_minor_version_has_a_golden_file_and_a_golden_state() -> None:
    assert SAME is not None, f"a new minor version: {RENEW}"
    minor = path_of(__version__).stem
    assert list(STATES.glob(f"{minor}.*.tar.xz")), "a new minor version: python -m tests.support.golden_state"


@pytest.mark.parametrize("part", sorted(NOW["frozen"]))
def test_within_a_minor_version_it_is_as_it_was(part: str) -> None:
    """A change here needs a new minor version, or, before its first release, the golden file anew."""
    assert SAME is not None
    assert NOW["frozen"][part] == SAME["frozen"][part]


@pytest.mark.parametrize("topic", sorted(NOW["records"]))
def test_within_a_minor_version_either_program_reads_what_the_other_writes(topic: str) -> None:
    assert SAME is not None
    before = SAME["records"][topic]
    assert unreadable(NOW["records"][topic], before) == []
    assert unreadable(before, NOW["records"][topic]) == []


@pytest.mark.parametrize("version", sorted(OTHERS))
def test_whatever_a_released_version_has_stored_is_read_for_ever(version: str) -> None:
    before = OTHERS[version]
    for topic, schema in before["records"].items():
        assert unreadable(schema, NOW["records"][topic]) == [], topic
    for part in ("migrations", "rules", "topics"):
        kept = {name: NOW["frozen"][part].get(name) for name in before["frozen"][part]}
        assert kept == before["frozen"][part], part


Change = Callable[[dict[str, Any]], object]
FIELDS = ("$defs", "Moved", "properties")
CHANGES: dict[str, tuple[Change, bool, bool]] = {
    # what is done to the schema of the change log · the older program reads it · the newer one reads the older
    "nothing": (lambda s: None, True, True),
    "an optional field": (lambda s: at(s, *FIELDS).update(more={"type": "string", "default": ""}), True, True),
    "a required field": (
        lambda s: (
            at(s, *FIELDS).update(more={"type": "string"}),
            at(s, "$defs", "Moved", "required").append("more"),
        ),
        True,
        False,
    ),
    "a field less": (lambda s: at(s, *FIELDS).pop("cause"), True, True),
    "a required field less": (
        lambda s: (at(s, *FIELDS).pop("path"), at(s, "$defs", "Moved", "required").remove("path")),
        False,
        True,
    ),
    "another type": (lambda s: at(s, *FIELDS).update(path={"type": "integer"}), False, False),
    "a wider type": (lambda s: at(s, *FIELDS).update(seq={"type": "number"}), False, True),
    "null": (
        lambda s: at(s, *FIELDS).update(path={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        False,
        True,
    ),
    "a new value": (lambda s: at(s, *FIELDS, "origin", "enum").append("guessed"), False, True),
    "a value less": (lambda s: at(s, *FIELDS, "origin", "enum").remove("live"), True, False),
    "a new kind": (
        lambda s: (
            s["anyOf"].append({"$ref": "#/$defs/New"}),
            s["$defs"].update(
                New={"type": "object", "properties": {"kind": {"enum": ["new"]}}, "required": ["kind"]}
            ),
        ),
        False,
        True,
    ),
    "a kind less": (lambda s: s["anyOf"].remove({"$ref": "#/$defs/Moved"}), True, False),
    "an inner field's type": (
        lambda s: at(s, "$defs", "FileState", "properties").update(size={"type": "string"}),
        False,
        False,
    ),
}


def at(schema: dict[str, Any], *names: str) -> Any:
    for name in names:
        schema = schema[name]
    return schema


@pytest.mark.parametrize("what", CHANGES)
def test_the_comparison_finds_what_programs_would_reject(what: str) -> None:
    change, older_reads, newer_reads = CHANGES[what]
    older = NOW["records"]["catalog.fs.raw.v1"]
    newer = copy.deepcopy(older)
    change(newer)
    assert (unreadable(newer, older) == []) == older_reads
    assert (unreadable(older, newer) == []) == newer_reads
