"""W3C trace context (`traceparent`): which records follow from which observation.

An observation begins a trace; everything that follows from it continues the trace: changes, updates, the job, the job's
result and its consequences. Ids are computed from the records and never random, so that a record sent again and a
replay have the same ones. Format: `00-<trace id, 32 hex>-<span id, 16 hex>-01`
(https://www.w3.org/TR/trace-context/, level 1; flag 01: sampled).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import xxhash

from schemas.headers import TRACEPARENT, find

_is_context = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
_TRACE_END = len("00-") + 32


def begun(value: bytes) -> bytes:
    """The context of a record that begins a trace."""
    digest = xxhash.xxh3_128_hexdigest(value)
    return f"00-{digest}-{digest[:16]}-01".encode()


def continued(context: bytes, span: bytes) -> bytes:
    """The context of a record that follows from one with `context`."""
    return b"%b-%b-01" % (context[:_TRACE_END], span)


def span_of_value(value: bytes) -> bytes:
    """The span id of a record without an id of its own."""
    return xxhash.xxh3_64_hexdigest(value).encode()


def span_of_event(id_: bytes) -> bytes:
    """The span id of a record whose id is this UUID: its last 64 bits."""
    return id_[19:23] + id_[24:]


def carried(headers: Iterable[tuple[str, bytes | None]]) -> bytes | None:
    """The context in a record's headers, if it is valid."""
    return sound(find(headers, TRACEPARENT))


def sound(context: bytes | None) -> bytes | None:
    """The context, or None if it is not valid: other programs write headers too."""
    return context if context is not None and _is_context(context) else None
