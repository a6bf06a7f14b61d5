"""What looks like a secret is found, what does not is not, and the list of known ones can only shrink."""

from __future__ import annotations

import pytest

from tools.secrets import FORMS, Found, Known, judged, search

MADE_UP = {
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "an AWS key": "AKIA" + "Q3EXAMPLE7TESTED",
    "a token of a code host": "ghp_" + "a1B2" * 9,
    "a token of a registry": "npm_" + "a1B2" * 9,
    "a token of a chat": "xoxb-" + "1234567890-abcdefghijkl",
    "a key of a cloud": "AIza" + "Sy1" * 11 + "ab",
    "a signed token": "eyJhbGciOiJIUz" + ".eyJzdWIiOiIxMjM" + "." + "x" * 24,
    "a password in an address": "postgresql://anna:" + "correct-horse@db/catalogue",
}


@pytest.mark.parametrize("what", FORMS)
def test_each_form_is_found(what: str) -> None:
    assert [found.what for found in search("x", f"before {MADE_UP[what]} behind")] == [what]


@pytest.mark.parametrize(
    "line",
    [
        "TOKEN_SECRET=" + "9f86d081884c7d65" + "9a2feaa0c55ad015",
        'password = "' + "hT7kQ2mZ9xW4" + 'bN1v"',
        '"api_key": "' + "Zm9vYmFyYmF6" + 'cXV4MTIz"',
    ],
)
def test_a_value_without_sense_behind_a_telling_name_is_found(line: str) -> None:
    assert [found.what for found in search("x", line)] == ["a value without sense"]


@pytest.mark.parametrize(
    "line",
    [
        "password: the_administrator_password_file",
        "CATALOGIZER_GATEWAY__TOKEN_SECRET_FILE: /run/secrets/token_secret",
        'token = "0000000000000000"',
        "--hash=sha256:" + "9f86d081884c7d65" + "9a2feaa0c55ad015",
        "postgresql://{user}:{password}@{host}/catalogizer",
        "postgresql://catalogizer:$(cat secrets/postgres_password)@postgres/catalogizer",
    ],
)
def test_what_has_sense_or_no_telling_name_is_not_found(line: str) -> None:
    assert list(search("x", line)) == []


def test_what_is_known_is_not_reported_and_what_is_gone_is() -> None:
    found = [Found("docs/a.md", 1, "x", "password"), Found("docs/b.md", 1, "x", "other")]
    here, gone = Known("docs/*", "pass", "an example"), Known("docs/*", "absent", "was one")
    assert judged(found, (here, gone)) == ([found[1]], [gone])
