"""What is generated from the schemas is up to date, whole, and true."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas.codec import encode
from schemas.topics import ALL_TOPICS, BY_NAME, DATA_TOPICS, Topic
from tests.support.golden_records import EXAMPLES
from tools import ROOT, generate, meanings, records
from tools.documents import with_table
from tools.errors import NoMarkers


def test_check_exits_with_one_where_something_drifted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(meanings.COMMON, "root", "something else")
    assert generate.main(["--check"]) == 1
    assert "docs/records.md" in capsys.readouterr().err


def test_writing_makes_what_is_missing_and_removes_what_should_not_exist(tmp_path: Path) -> None:
    for name in (
        "docs/operations.md",
        "docs/protocol.md",
        "docs/security.md",
        "docs/settings.md",
        "requirements/run.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    stray = tmp_path / "schemas" / "json" / "catalog.gone.v1.json"
    stray.parent.mkdir(parents=True)
    stray.touch()
    assert stray.relative_to(tmp_path) in generate.drifted(tmp_path)
    assert generate.main([], tmp_path) == 0
    assert generate.drifted(tmp_path) == []
    assert not stray.exists()


def test_a_document_without_markers_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoMarkers, match=r"docs/settings\.md has no `<!-- settings: begin"):
        with_table("# Settings\n", "docs/settings.md", "settings")


@pytest.mark.parametrize("topic", DATA_TOPICS, ids=lambda topic: topic.name)
def test_every_field_of_every_record_has_a_meaning(topic: Topic) -> None:
    silent = [
        f"{name}.{field}"
        for name, record in records.topic_schema(topic)["$defs"].items()
        for field in record.get("properties", {})
        if meanings.meaning(name, field) is None
    ]
    assert silent == []


def test_every_meaning_belongs_to_a_field() -> None:
    fields = {
        (name, field)
        for schema in (*map(records.topic_schema, DATA_TOPICS), records.mark_schema())
        for name, record in schema["$defs"].items()
        for field in record.get("properties", {})
    }
    stray = [
        (name, field)
        for name, reported in meanings.SPECIFIC.items()
        for field in reported
        if (name, field) not in fields
    ]
    assert stray == []
    assert meanings.COMMON.keys() <= {field for _, field in fields}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_record_holds_against_the_json_schema_of_its_topic(name: str) -> None:
    topic, record = EXAMPLES[name]
    schema = records.topic_schema(topic)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(encode(record)))


@pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda topic: topic.name)
def test_a_topic_is_named_after_the_convention_and_stands_once(topic: Topic) -> None:
    assert BY_NAME[topic.name] is topic
    assert topic.name.removesuffix(".dlq").startswith("catalog.")
    assert topic.name.removesuffix(".dlq").endswith(".v1")
