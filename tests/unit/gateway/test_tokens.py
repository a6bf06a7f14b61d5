"""The token secret, and what is signed with it."""

from __future__ import annotations

import base64
import random
import time

import pytest
from pydantic import SecretStr

from gateway.access.tokens import BadToken, Tokens, check_secret, configured_secret
from gateway.settings import GatewaySettings
from runtime.errors import SettingsError
from tests.support.forging import forge

SECRET = "8f2d6c1b9a7e4f3c8d5a6b7c0e1f2a3b"


def test_without_a_configured_secret_nothing_starts() -> None:
    assert configured_secret(GatewaySettings(token_secret=SecretStr(SECRET))) == SECRET
    with pytest.raises(SettingsError, match="CATALOGIZER_GATEWAY__TOKEN_SECRET"):
        configured_secret(GatewaySettings())


@pytest.mark.parametrize(
    "secret",
    ["", "a" * 31, "a" * 64, "your-256-bit-secret-your-256-bit-secret", "0123456789abcdef" * 2, "CHANGE_ME" * 5,
     "abcdefghijklmnopqrstuvwxyz0123456789", "${TOKEN_SECRET_REPLACE_THIS_PLEASE_XY}", "Pa$$w0rd-Passw0rd-1234-5678-90ab",
     "deadbeefcafe" * 4, "keyboard cat keyboard cat keyboard!", "qwertyuiopasdfghjklzxcvbnm123456"],
)  # fmt: skip
def test_a_weak_secret_is_refused_by_the_name_of_its_setting(secret: str) -> None:
    with pytest.raises(SettingsError, match="token_secret") as refused:
        Tokens(GatewaySettings(), secret)
    assert not secret or secret not in str(refused.value)


def test_no_random_secret_is_taken_for_a_sample() -> None:
    chance = random.Random(1)
    for _ in range(2_000):
        check_secret(chance.randbytes(16).hex())
        check_secret(chance.randbytes(32).hex())
        check_secret(base64.b64encode(chance.randbytes(32)).decode())


def test_a_token_names_the_account_it_was_issued_to() -> None:
    tokens = Tokens(GatewaySettings(), SECRET)
    token, identity = tokens.issue(user_id=7, username="bob", role_id=2, session_id="s")
    assert tokens.verify(token) == identity
    assert not identity.is_admin


def test_a_token_of_another_installation_is_invalid() -> None:
    token, _ = Tokens(GatewaySettings(), SECRET[::-1]).issue(user_id=7, username="b", role_id=2, session_id="s")
    with pytest.raises(BadToken):
        Tokens(GatewaySettings(), SECRET).verify(token)


def test_a_token_is_valid_29_s_after_its_end_and_not_31_s_after() -> None:
    tokens = Tokens(GatewaySettings(), SECRET)
    token, _ = tokens.issue(user_id=7, username="bob", role_id=2, session_id="s")
    assert tokens.verify(forge(token, exp=int(time.time()) - 29)).username == "bob"
    with pytest.raises(BadToken):
        tokens.verify(forge(token, exp=int(time.time()) - 31))
