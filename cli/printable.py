"""Text of others on one line of ours: no name can look like another line, or move the cursor. Pure."""

from __future__ import annotations

_FOREIGN = 0xDC00
"""Python's surrogates for bytes that are not UTF-8 lie this much above the byte (PEP 383)."""


def printable(text: str) -> str:
    r"""The text with what cannot be printed as Python writes it: line breaks and control characters (`\n`, `\x1b`), bytes
    that are not UTF-8 (`\xff`)."""
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    byte = ord(sign) - _FOREIGN
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else sign.encode("unicode_escape").decode()
