"""The meaning of every field of every record, for docs/records.md and the JSON Schemas.

Names that mean the same everywhere are in COMMON; `SPECIFIC[record][field]` takes precedence. A test requires a meaning for
every field. Nothing reads this at run time.
"""

from __future__ import annotations

from tools.meanings.common import COMMON
from tools.meanings.specific import SPECIFIC

__all__ = ["COMMON", "SPECIFIC", "meaning"]


def meaning(record: str, field: str) -> str | None:
    """The meaning of a record's field; None if none is stated."""
    return SPECIFIC.get(record, {}).get(field) or COMMON.get(field)
