"""`python -m tools.secrets`: searches every file under version control for what looks like a secret; part of `make lint`.

Two checks of each line: known formats of keys (`FORMS`), and long random words after a name like `password` or `token`
(at least `TELLING_BITS` bits of entropy a letter). False positives are listed in `KNOWN` with the reason; an entry there
that matches nothing any more is reported too. Pure, except `texts`.
"""

from __future__ import annotations

import fnmatch
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT

FORMS: dict[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "an AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token of a code host": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,}|glpat-[\w-]{20})\b"),
    "a token of a registry": re.compile(r"\b(?:pypi-AgE\w{50,}|npm_[A-Za-z0-9]{36}|dckr_pat_[\w-]{20,})\b"),
    "a token of a chat": re.compile(r"\bxox[abprs]-[\w-]{20,}\b"),
    "a key of a cloud": re.compile(r"\bAIza[\w-]{35}\b"),
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
    "a password in an address": re.compile(
        r"\b[a-z][a-z0-9+.-]*://[^\s:/@{}$<>\"'`]+:(?P<word>[^\s:/@{}$<>\"'`]{6,})@"
    ),
}
NAMED = re.compile(
    r"(?i)(?:pass(?:word|wd)?|secret|token|api_?key|credential)\w*[\"']?\s*[:=]\s*[\"']?(?P<word>[A-Za-z0-9+/_=-]{16,})"
)
"""A value after a name of a secret, in code, settings and shell alike."""
TELLING_BITS = 3.5
"""Random hex has 4 bits a letter, random base64 some 5; words and names of variables have less."""
LONGEST_LINE = 4_000
"""Longer lines are written by programs (built pages, hashes); only `FORMS` are searched in them."""
DATA = (".png", ".jpg", ".ico", ".woff2", ".gz")


@dataclass(frozen=True, slots=True)
class Known:
    """A match that is no secret: `path`, a pattern of paths; `word`, a part of the match; `why`."""

    path: str
    word: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """A line that looks like a secret."""

    path: str
    line: int
    what: str
    word: str


KNOWN: tuple[Known, ...] = (
    Known("README.md", "secret", "an example for readers"),
    Known("docs/settings.md", "password", "what an address is made of"),
    Known("runtime/settings.py", "password", "what an address is made of"),
    Known("cli/up/network.py", "PASSWORD", "stands in place of one that is taken out"),
    Known("infra/terraform/tests/*.tftest.hcl", "0123456789", "of tests, without a server"),
    Known("runtime/kafka_security.py", "PRIVATE KEY", "how a file of one begins"),
    Known("tests/unit/runtime/*", "PRIVATE KEY", "a file that is refused"),
    Known("tests/*", "8f2d6c", "the token secret of test gateways"),
    Known("tests/unit/*", "0123456789", "a database that there is not"),
    Known("tests/unit/cli/*", "canary", "must not be shown by errors"),
    Known("tests/unit/streams/alerts/*", "canary", "must not be shown by errors"),
    Known("tests/integration/database/*", "canary", "must not be shown by errors"),
    Known("tests/unit/cli/*", "p%40ss", "must not be shown by errors"),
)


def bits_a_letter(word: str) -> float:
    """Shannon's entropy of a word's letters."""
    return -sum(n / len(word) * math.log2(n / len(word)) for n in Counter(word).values())


def search(path: str, text: str) -> Iterator[Found]:
    """Everything found in one file, known or not."""
    for number, line in enumerate(text.splitlines(), start=1):
        for what, form in FORMS.items():
            yield from (
                Found(path, number, what, match.groupdict().get("word") or match[0])
                for match in form.finditer(line)
            )
        if len(line) <= LONGEST_LINE:
            yield from (Found(path, number, "a value without sense", word) for word in _senseless(line))


def _senseless(line: str) -> Iterator[str]:
    for match in NAMED.finditer(line):
        word = match["word"]
        if re.search(r"\d", word) and re.search(r"[A-Za-z]", word) and bits_a_letter(word) >= TELLING_BITS:
            yield word


def judged(found: Iterable[Found], known: tuple[Known, ...]) -> tuple[list[Found], list[Known]]:
    """Findings that are not known, and known entries that were not found."""
    left, unused = [], set(known)
    for one in found:
        entries = {entry for entry in known if fnmatch.fnmatch(one.path, entry.path) and entry.word in one.word}
        unused -= entries
        if not entries:
            left.append(one)
    return left, [entry for entry in known if entry in unused]


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Every file under version control that is text, by its path. Raises OSError, CalledProcessError."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = root / name
        if path.suffix not in DATA and path.is_file() and not path.is_symlink():
            yield name, path.read_text(errors="replace")


def main(root: Path = ROOT) -> int:
    """Search all files; the exit code."""
    left, unused = judged((found for path, text in texts(root) for found in search(path, text)), KNOWN)
    for found in left:
        print(f"{found.path}:{found.line}: looks like {found.what}: {found.word[:6]}…", file=sys.stderr)
    for entry in unused:
        print(f"tools/secrets.py: nothing in {entry.path} looks like {entry.word!r} any more", file=sys.stderr)
    return 1 if left or unused else 0


if __name__ == "__main__":
    sys.exit(main())
