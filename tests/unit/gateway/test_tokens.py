"""The token secret: made once, kept for its owner only, and the same for every gateway of a state folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.access.tokens import BadToken, Tokens, check_secret, load_secret
from gateway.settings import GatewaySettings
from runtime.errors import SettingsError

SECRET = "8f2d6c1b9a7e4f3c8d5a6b7c0e1f2a3b"


def test_a_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: load_secret(GatewaySettings(), tmp_path), range(16)))
    assert len(secrets) == 1
    check_secret(secrets.pop())
    (kept,) = (tmp_path / "secrets").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_configured_secret_comes_first_and_writes_nothing(tmp_path: Path) -> None:
    assert load_secret(GatewaySettings(token_secret=SecretStr(SECRET)), tmp_path) == SECRET
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("secret", ["", "a" * 31, "a" * 64, "your-256-bit-secret-your-256-bit-secret"])
def test_a_weak_secret_is_refused_by_the_name_of_its_setting(secret: str) -> None:
    with pytest.raises(SettingsError, match="token_secret") as refused:
        Tokens(GatewaySettings(), secret)
    assert not secret or secret not in str(refused.value)


def test_who_was_issued_a_token_is_who_it_says() -> None:
    tokens = Tokens(GatewaySettings(), SECRET)
    token, identity = tokens.issue(user_id=7, username="bob", role_id=2, session_id="s")
    assert tokens.verify(token) == identity
    assert not identity.is_admin


def test_a_token_of_another_installation_does_not_hold() -> None:
    token, _ = Tokens(GatewaySettings(), SECRET[::-1]).issue(user_id=7, username="b", role_id=2, session_id="s")
    with pytest.raises(BadToken):
        Tokens(GatewaySettings(), SECRET).verify(token)
