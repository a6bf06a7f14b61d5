"""The client's types follow from the schemas: nothing of a schema is lost on the way."""

from __future__ import annotations

import re
from typing import Any

import pytest

from schemas.channels import CHANNELS
from schemas.close_codes import CLOSE_CODES
from schemas.media import MediaItem
from tools import typescript
from tools.typescript import EVENTS, PATH, interface, type_text

MODULE = typescript.files()[PATH]


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer"}, "number"),
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]}, "number | null"),
        ({"type": "array", "items": {"enum": [1, 2]}}, "readonly (1 | 2)[]"),
        ({"type": "array", "items": {"$ref": "#/$defs/Chapter"}}, "readonly Chapter[]"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "Record<string, string>"),
        ({"description": "any JSON value"}, "unknown"),
    ],
)
def test_a_schema_is_a_type(schema: dict[str, Any], text: str) -> None:
    assert type_text(schema) == text


@pytest.mark.parametrize(("left_out", "text"), [(True, "year?: number;"), (False, "year?: number | null;")])
def test_a_member_that_is_left_out_when_it_is_null_is_never_null(left_out: bool, text: str) -> None:
    year = {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
    record = {
        "description": "An\n    item.",
        "properties": {"id": {"type": "integer"}, "year": year},
        "required": ["id"],
    }
    assert list(interface("Item", record, left_out=left_out)) == [
        "/** An item. */", "export interface Item {", "  id: number;", f"  {text}", "}", "",
    ]  # fmt: skip


def test_every_channel_and_the_data_of_its_events_are_there() -> None:
    assert {event for event, _ in EVENTS} == {channel.event for channel in CHANNELS.values()}
    for channel in CHANNELS.values():
        assert f'  {channel.name}: {{ event: "{channel.event}"' in MODULE


def test_every_close_code_has_whether_to_come_back() -> None:
    reported = {
        int(code): back == "true" for code, back in re.findall(r"^  (\d{4}): .* comeBack: (\w+)", MODULE, re.M)
    }
    assert reported == {code.code: code.come_back for code in CLOSE_CODES}


def test_every_member_of_an_item_is_there() -> None:
    [body] = re.findall(r"^export interface MediaItem \{\n(.*?)^\}", MODULE, re.M | re.S)
    assert re.findall(r"^  (\w+)\??:", body, re.M) == list(MediaItem.__struct_fields__)
