"""Every connection to PostgreSQL is made with the options that no session is needed for: none may be forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("cli", "gateway", "producer", "runtime", "schemas", "storage", "streams")
EMBEDDED = ROOT / "cli" / "up" / "embedded" / "postgres.py"
"""Asks a server of our own whether it answers."""


def _connecting(source: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)) if "psycopg" in source or "WritableFirst" in source else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "connect":
            of = ast.unparse(node.func.value)
            if of in (
                "psycopg",
                "psycopg.AsyncConnection",
                "psycopg.Connection",
                "AsyncConnection",
                "WritableFirst",
            ):
                yield node


def test_every_connection_has_the_options() -> None:
    found = [
        (path, call)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path != EMBEDDED
        for call in _connecting(path.read_text())
    ]
    assert len(found) > 8
    without = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, call in found
        if not any(keyword.arg is None and ast.unparse(keyword.value) == "OPTIONS" for keyword in call.keywords)
    ]
    assert without == []
