"""Validates payloads against an AsyncAPI document: with its JSON Schema for a message of that type."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.protocols import Validator

Document = dict[str, Any]


class Described:
    """One document."""

    def __init__(self, document: Document) -> None:
        self.document = document

    @cached_property
    def messages(self) -> dict[str, Document]:
        """Its messages by name."""
        found: dict[str, Document] = self.document["components"]["messages"]
        return found

    def judge(self, message: str) -> Validator:
        """What its payloads are judged by."""
        return Draft7Validator(
            {"components": self.document["components"], "allOf": [self.messages[message]["payload"]]}
        )

    def faults(self, payload: Document) -> list[str]:
        """What is wrong with a frame or a client's message; of its `type` there must be a message."""
        if payload["type"] not in self.messages:
            return [f"no message {payload['type']}"]
        return [
            f"{payload['type']}: {error.message}" for error in self.judge(payload["type"]).iter_errors(payload)
        ]
