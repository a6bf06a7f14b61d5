"""Sealed values can be read with the secret, for their own purpose, unchanged, and for a limited time."""

from __future__ import annotations

import pytest

from gateway.access.oidc.sealing import MAX_SEALED, Seal

SECRET = "8f2d6c1b9a7e4f3c8d5a6b7c0e1f2a3b"
ANOTHER = "1c0e6b5a9d8f4723b2a1c0d9e8f7a6b5"


def test_what_is_sealed_comes_back_at_any_gateway_of_the_secret() -> None:
    sealed = Seal(SECRET).seal("sign-in", {"state": "a", "page": ""}, 60)
    assert Seal(SECRET).open("sign-in", sealed) == {
        "state": "a",
        "page": "",
        "until": pytest.approx(0, abs=1e12),
    }
    assert "state" not in sealed


def test_nothing_else_opens_it() -> None:
    sealed = Seal(SECRET).seal("sign-in", {"state": "a"}, 60)
    assert Seal(ANOTHER).open("sign-in", sealed) is None
    assert Seal(SECRET).open("exchange", sealed) is None
    assert Seal(SECRET).open("sign-in", Seal(SECRET).seal("sign-in", {}, -1)) is None


@pytest.mark.parametrize("sealed", ["", "a", "a.b.c.d.e", "é", "." * 4, "x" * (MAX_SEALED + 1)])
def test_a_foreign_text_opens_nothing(sealed: str) -> None:
    assert Seal(SECRET).open("sign-in", sealed) is None


def test_a_letter_changed_anywhere_opens_nothing() -> None:
    sealed = Seal(SECRET).seal("exchange", {"refresh": "x"}, 60)
    for at, letter in enumerate(sealed):
        if sealed[at + 1 : at + 2] in ("", "."):
            continue  # the last letter of a part has unused bits
        changed = sealed[:at] + ("A" if letter != "A" else "Q") + sealed[at + 1 :]
        assert Seal(SECRET).open("exchange", changed) is None
