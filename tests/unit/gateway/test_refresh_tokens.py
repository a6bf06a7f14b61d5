"""Refresh tokens: a sequence for each session, each good once, except for an answer that was lost."""

from __future__ import annotations

import pytest

from gateway.access.refresh_tokens import GRACE_SECONDS, RefreshTokens, TokenNumber, TokenVerdict, judge

SESSION = "0123456789abcdef0123456789abcdef"
TOKENS = RefreshTokens("8f2d6c1b9a7e4f3c8d5a6b7c0e1f2a3b")


def test_a_token_names_its_place_and_is_always_the_same() -> None:
    place = TokenNumber(SESSION, 41)
    assert TOKENS.read(TOKENS.token(place)) == place
    assert TOKENS.token(place) == TOKENS.token(place) != TOKENS.token(TokenNumber(SESSION, 42))
    assert len(TOKENS.token(TokenNumber(SESSION, 10**9 - 1))) <= 256


@pytest.mark.parametrize(
    "forged", ["", "x", "{s}.0.", "{s}.0.{m}", "{s}.1.{m0}", "{t}", "{t}\n", "{t}=", "é", "\ud800"]
)
def test_what_was_not_signed_here_is_none(forged: str) -> None:
    right = TOKENS.token(TokenNumber(SESSION, 0))
    signature = right.rpartition(".")[2]
    other = RefreshTokens("another secret that is long enough..").token(TokenNumber(SESSION, 0))
    text = forged.format(s=SESSION, m="A" * 43, m0=signature, t=right if forged != "{t}" else other)
    assert TOKENS.read(text) is None


@pytest.mark.parametrize(
    ("shown", "wanted", "seconds", "verdict"),
    [
        (0, 0, 0, TokenVerdict.NEXT),
        (7, 7, 10**6, TokenVerdict.NEXT),
        (6, 7, 0, TokenVerdict.AGAIN),
        (6, 7, GRACE_SECONDS - 1, TokenVerdict.AGAIN),
        (6, 7, GRACE_SECONDS, TokenVerdict.REUSED),
        (5, 7, 0, TokenVerdict.REUSED),
        (0, 7, 0, TokenVerdict.REUSED),
        (8, 7, 0, TokenVerdict.REUSED),
    ],
)
def test_what_becomes_of_a_token(shown: int, wanted: int, seconds: float, verdict: TokenVerdict) -> None:
    assert judge(shown, wanted, seconds) is verdict
