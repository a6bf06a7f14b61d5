"""What can be wrong with a record or a message that crosses a process boundary.

SchemaError
├── Undecodable       the bytes are not a record of the type (not JSON, wrong shape, bad path)
│   └── BadMessage    a client's text that is not a valid message (`schemas.envelope`)
├── UnknownVersion    another major version of the schema
├── BadCursor         a cursor that is not one of ours
└── BadPlace          the text or JSON is not a place in a log
"""

from __future__ import annotations


class SchemaError(Exception):
    """Root of the tree. Never retryable: the same bytes will be wrong again."""

    retryable = False


class Undecodable(SchemaError):
    """The bytes are not a record of the expected type; `reason`: where and why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class UnknownVersion(SchemaError):
    """The record's schema has a major version this program does not read."""

    def __init__(self, version: str) -> None:
        self.version = version
        super().__init__(f"schema version {version!r} is not known here (known: 1)")


class BadCursor(SchemaError):
    """The text is not a cursor, or is damaged, or belongs to another channel."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class BadPlace(SchemaError):
    """The text or JSON is not a place. `at`: which part of it, empty for the whole; `reason`: what is wrong; `allowed`:
    what is accepted, empty if the reason contains it."""

    def __init__(self, reason: str, allowed: str = "", at: str = "") -> None:
        self.reason = reason
        self.allowed = allowed
        self.at = at
        super().__init__(f"{reason}: {allowed}" if allowed else reason)
