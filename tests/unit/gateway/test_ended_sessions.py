"""A token of a session that has ended is a bad token, whatever else is right about it."""

from __future__ import annotations

import pytest

from gateway.access.ended_sessions import EndedSessions
from gateway.access.tokens import BadToken, Tokens
from gateway.settings import GatewaySettings

SECRET = "8f2d6c1b9a7e4f3c8d5a6b7c0e1f2a3b"


def test_a_token_ends_with_its_session_and_no_other_does() -> None:
    ended = EndedSessions()
    tokens = Tokens(GatewaySettings(), SECRET, ended)
    mine, identity = tokens.issue(user_id=7, username="bob", role_id=2, session_id="s")
    other, _ = tokens.issue(user_id=7, username="bob", role_id=2, session_id="t")
    assert tokens.verify(mine) == identity
    ended.add("s")
    with pytest.raises(BadToken):
        tokens.verify(mine)
    assert tokens.ended(identity)
    assert tokens.verify(other).session_id == "t"
