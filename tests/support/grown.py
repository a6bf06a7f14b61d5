"""Records as a later program of the same minor version may write them: with unknown fields at every depth."""

from __future__ import annotations

from typing import Any

import msgspec

FIRST, LAST = {"a_field_of_tomorrow": {"of": ["any", {"kind": 1}, None]}}, {"z_tomorrow": "kind"}
"""Put before and after the fields that are known."""


def grown(record: Any) -> Any:
    """As JSON types: every struct in it has fields that it did not have."""
    if isinstance(record, msgspec.Struct):
        plain: dict[str, Any] = msgspec.to_builtins(record)
        for field in msgspec.structs.fields(record):
            if field.encode_name in plain:
                plain[field.encode_name] = grown(getattr(record, field.name))
        return FIRST | plain | LAST
    if isinstance(record, dict):
        return {str(msgspec.to_builtins(name)): grown(value) for name, value in record.items()}
    if isinstance(record, list | tuple):
        return [grown(one) for one in record]
    return msgspec.to_builtins(record)


def grown_bytes(record: Any) -> bytes:
    """The same as JSON."""
    return msgspec.json.encode(grown(record))
