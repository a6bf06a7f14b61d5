"""What every field of every record means, once, for docs/records.md and the JSON Schemas.

A name that means the same everywhere is in COMMON; `SPECIFIC[record][field]` takes precedence. A test requires a
meaning for every field. Nothing reads this at run time.
"""

from __future__ import annotations

from tools.meanings.common import COMMON
from tools.meanings.specific import SPECIFIC

__all__ = ["COMMON", "SPECIFIC", "meaning"]


def meaning(record: str, field: str) -> str | None:
    """What a field of a record means; None where it is not stated."""
    return SPECIFIC.get(record, {}).get(field) or COMMON.get(field)
