"""The two formats in a `client.properties` file: Java's properties (java.util.Properties), and the JAAS line in which Kafka
writes a login module with its options. Text in, entries out; it interprets no key.

Values are trimmed as Kafka trims them. Text is UTF-8 (Java reads Latin-1; ASCII is the same in both).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runtime.errors import PlatformError


class NotProperties(PlatformError):
    """Text that the format does not allow. `line`: the file's line, from 1; 0 if the fault is in a value; `what`: the fault,
    without any part of a value."""

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        self.what = what
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value. `line`: the line on which it begins, from 1."""

    line: int
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Login:
    """A line of JAAS. `module`: its class, without the package."""

    module: str
    options: dict[str, str]


_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_SPACE = " \t\f"


def entries(text: str) -> Iterator[Entry]:
    """Every entry, in order. Raises NotProperties."""
    for number, line in _logical_lines(text):
        end = _end_of_key(line)
        rest = line[end:].lstrip(_SPACE)
        if rest[:1] in ("=", ":"):
            rest = rest[1:].lstrip(_SPACE)
        yield Entry(number, _unescaped(line[:end], number), _unescaped(rest, number).strip())


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their continuations; comments and empty ones left out."""
    begun, whole = 0, ""
    for number, natural in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        line = natural.lstrip(_SPACE)
        if not begun:
            if not line or line[0] in "#!":
                continue
            begun = number
        whole += line
        if (len(line) - len(line.rstrip("\\"))) % 2:
            whole = whole[:-1]
            continue
        yield begun, whole
        begun, whole = 0, ""
    if begun:
        yield begun, whole


def _end_of_key(line: str) -> int:
    at = 0
    while at < len(line) and line[at] not in "=:" + _SPACE:
        at += 2 if line[at] == "\\" else 1
    return min(at, len(line))


def _unescaped(text: str, line: int) -> str:
    def plain(found: re.Match[str]) -> str:
        sign = found[1]
        if not sign.startswith("u"):
            return _ESCAPES.get(sign, sign)
        if len(sign) < 5:
            raise NotProperties(
                line, "\\u wants four hexadecimal digits; a backslash that is meant as itself is \\\\"
            )
        return chr(int(sign[1:], 16))

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|u|.|$)", plain, text)


_TOKEN = re.compile(
    r"""\s*(?:(?P<end>;)|(?P<equals>=)|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<word>[^\s;="']+))"""
)


def login_of(text: str) -> Login:
    """The login module in the value of `sasl.jaas.config`. Raises NotProperties."""
    tokens = list(_tokens(text))
    if not tokens or tokens[-1] != ("end", ";"):
        raise NotProperties(0, 'does not end with ";"')
    if len(tokens) < 3 or tokens[1][1].lower() not in ("required", "requisite", "sufficient", "optional"):
        raise NotProperties(0, "is not: a module, required, options, and a semicolon")
    options, rest = {}, tokens[2:-1]
    if ("end", ";") in rest:
        raise NotProperties(0, "has several modules; one is wanted")
    for at in range(0, len(rest), 3):
        triple = rest[at : at + 3]
        if len(triple) < 3 or triple[1][0] != "equals" or "equals" in (triple[0][0], triple[2][0]):
            raise NotProperties(0, 'options are written name="value", with \\ before a quote that is part of one')
        options[triple[0][1]] = triple[2][1]
    return Login(tokens[0][1].rpartition(".")[2], options)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotProperties(0, "has a quote that does not end")
        at = found.end()
        kind = found.lastgroup or ""
        value = found[kind]
        if kind in ("double", "single"):
            kind, value = "word", re.sub(r"\\(.)", lambda sign: _ESCAPES.get(sign[1], sign[1]), value)
        yield kind, value
