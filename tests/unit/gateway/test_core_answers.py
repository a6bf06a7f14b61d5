"""The gateway's own messages: valid JSON, members in `data` and beside it, `ref` echoed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from gateway.core import answers

AT = 1_705_314_600_000


def read(payload: bytes) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(payload)
    return message


def test_members_stand_in_data_and_beside_it() -> None:
    body = answers.Subscribed(
        channel="media_updates", start={0: 5}, head={0: 9}, epoch="e", mode="ring", recovered=False, cursor="c",
        reason="retention", missed={0: answers.MissedOffsets(2, 5)},
    )  # fmt: skip
    members = {
        "channel": "media_updates", "start": {"0": 5}, "head": {"0": 9}, "epoch": "e", "mode": "ring",
        "recovered": False, "cursor": "c", "reason": "retention", "missed": {"0": {"from": 2, "to": 5}},
    }  # fmt: skip
    assert read(answers.message("subscribed", body, AT, "r")) == {
        "type": "subscribed", "data": members, **members, "ref": "r", "timestamp": "2024-01-15T10:30:00.000Z",
    }  # fmt: skip


@pytest.mark.parametrize("ref", [None, 0, "", 'ü\n"', [1, {"a": None}], {"b": 1.5}])
def test_ref_is_echoed_whatever_it_is(ref: Any) -> None:
    assert read(answers.message("pong", answers.EMPTY, AT, ref))["ref"] == ref
    assert read(answers.error("bad_request", "no", AT, ref))["ref"] == ref


def test_without_ref_there_is_none() -> None:
    assert read(answers.message("pong", answers.EMPTY, AT, UNSET)) == {
        "type": "pong", "data": {}, "timestamp": "2024-01-15T10:30:00.000Z",
    }  # fmt: skip


def test_an_error_names_code_and_message() -> None:
    assert read(answers.error("rate_limited", "too many", AT)) == {
        "type": "error", "data": {"code": "rate_limited", "message": "too many"}, "timestamp": "2024-01-15T10:30:00.000Z",
    }  # fmt: skip


def test_a_gap_is_a_function_of_the_log() -> None:
    gap = answers.gap("media_updates", 3, 7, 8, "undecodable", AT)
    assert gap == answers.gap("media_updates", 3, 7, 8, "undecodable", AT)
    message = read(gap)
    assert (message["partition"], message["from"], message["to"], message["reason"]) == (3, 7, 8, "undecodable")
