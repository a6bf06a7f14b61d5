"""Escapes foreign text for output on one line: no name can look like another line, or move the cursor. Pure."""

from __future__ import annotations

_FOREIGN = 0xDC00
"""Offset of Python's surrogates for bytes that are not UTF-8 (PEP 383)."""


def printable(text: str) -> str:
    r"""The text with unprintable characters escaped as in Python: line breaks and control characters (`\n`, `\x1b`), bytes
    that are not UTF-8 (`\xff`)."""
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    byte = ord(sign) - _FOREIGN
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else sign.encode("unicode_escape").decode()
