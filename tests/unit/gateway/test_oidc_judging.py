"""Why a provider's token is invalid: each fault has its own reason, so that no check covers for another."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

import pytest

from gateway.access.oidc.errors import BadAnswer
from gateway.access.oidc.judging import LOGOUT_EVENT, Signed, Subject, access_token, id_token, logout_token
from gateway.access.oidc.provider_settings import ProviderSettings

NOW = int(time.time())
LATER = NOW + 7_200
"""Than any of these tests runs."""
ISSUER = "https://id.example"
ACCESS = "an access token"


def provider(**changes: Any) -> ProviderSettings:
    values: dict[str, Any] = {"id": "corp", "name": "Corp", "issuer": ISSUER, "client_id": "us", "default": {}}
    return ProviderSettings(**{**values, "audiences": ["api"], **changes})


def half(algorithm: str) -> str:
    digest = hashlib.new(algorithm, ACCESS.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def signed(claims: dict[str, Any], header: dict[str, Any] | None = None) -> Signed:
    full = {"alg": "RS256", "typ": "JWT", "kid": "1", **(header or {})}
    return Signed(
        {name: value for name, value in full.items() if value is not None},
        {name: value for name, value in claims.items() if value is not None},
    )


ID: dict[str, Any] = {
    "iss": ISSUER, "sub": "s", "aud": "us", "iat": NOW, "exp": LATER, "nonce": "n", "at_hash": half("sha256"), "sid": "1",
}  # fmt: skip
API: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "s",
    "aud": ["api", "x"],
    "iat": NOW,
    "exp": LATER,
    "client_id": "them",
}
LOGOUT: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "s",
    "aud": "us",
    "iat": NOW,
    "jti": "j",
    "events": {LOGOUT_EVENT: {}},
}


def test_a_valid_id_token_names_its_subject() -> None:
    assert id_token(provider(), signed(ID), "n", ACCESS) == Subject(ISSUER, "s", "1", "us", NOW, LATER)
    several = {**ID, "aud": ["us", "them"], "azp": "us", "at_hash": None}
    assert id_token(provider(), signed(several, {"typ": None}), "n", ACCESS).subject == "s"


@pytest.mark.parametrize(
    ("algorithm", "digest"), [("ES384", "sha384"), ("PS512", "sha512"), ("EdDSA", "sha512"), ("Ed25519", "sha512")]
)
def test_the_access_token_s_hash_is_the_signature_s(algorithm: str, digest: str) -> None:
    right = signed({**ID, "at_hash": half(digest)}, {"alg": algorithm})
    assert id_token(provider(), right, "n", ACCESS).subject == "s"
    with pytest.raises(BadAnswer, match="at_hash"):
        id_token(provider(), signed({**ID, "at_hash": half("sha256")}, {"alg": algorithm}), "n", ACCESS)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://evil.example"}, "iss"), ({"iss": None}, "iss"), ({"aud": "them"}, "aud"), ({"aud": None}, "aud"),
        ({"aud": ["us", "them"]}, "for whom|azp"), ({"azp": "them"}, "azp"), ({"nonce": "x"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"exp": NOW - 31}, "exp|expired"), ({"exp": None}, "exp"), ({"exp": True}, "exp"), ({"iat": LATER}, "future"),
        ({"iat": None}, "iat"), ({"nbf": LATER}, "not yet"), ({"sub": None}, "sub"), ({"sub": ""}, "subject|sub"),
        ({"sub": 1}, "sub"), ({"sub": "x" * 256}, "subject"), ({"sub": "a\x00"}, "subject"), ({"at_hash": "x"}, "at_hash"),
        ({"events": {}}, "logout"), ({"sid": 1}, "session"),
    ],
)  # fmt: skip
def test_an_invalid_id_token_is_refused_for_its_reason(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(BadAnswer, match=f"(?i){why}"):
        id_token(provider(), signed({**ID, **changes}), "n", ACCESS)


@pytest.mark.parametrize("kind", ["at+jwt", "logout+jwt", "JWS", 7])
def test_an_id_token_has_no_other_type(kind: object) -> None:
    with pytest.raises(BadAnswer, match="type"):
        id_token(provider(), signed(ID, {"typ": kind}), "n", ACCESS)


def test_a_token_within_its_leeway_is_valid() -> None:
    assert id_token(provider(), signed({**ID, "exp": int(time.time()) - 20}), "n", ACCESS).subject == "s"


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"typ": "application/at+jwt"}, {"typ": "AT+JWT"}])
def test_a_valid_access_token_names_its_subject(header: dict[str, Any]) -> None:
    assert access_token(provider(), signed(API, header)) == Subject(ISSUER, "s", None, "them", NOW, LATER)


@pytest.mark.parametrize(
    ("changes", "header", "why"),
    [
        ({}, {"typ": "JWT"}, "type"), ({}, {"typ": None}, "type"), ({}, {"typ": "logout+jwt"}, "type"),
        ({"nonce": "n"}, {}, "another token"), ({"at_hash": "x"}, {}, "another token"),
        ({"events": {}}, {}, "another token"),
        ({"typ": "ID"}, {}, "another token"), ({"typ": "Refresh"}, {}, "another token"), ({"cnf": {"jkt": "x"}}, {}, "key"),
        ({"aud": "us"}, {}, "aud"), ({"aud": []}, {}, "aud"), ({"client_id": None}, {}, "client"), ({"iss": "x"}, {}, "iss"),
        ({"exp": NOW - 31}, {}, "expired"), ({"exp": 2**60}, {}, "subject"),
    ],
)  # fmt: skip
def test_an_invalid_access_token_is_refused_for_its_reason(
    changes: dict[str, Any], header: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadAnswer, match=f"(?i){why}"):
        access_token(provider(), signed({**API, **changes}, {"typ": "at+jwt", **header}))


def test_a_provider_that_does_not_follow_rfc_9068_is_accepted_if_the_settings_allow_it() -> None:
    plain = signed({**API, "client_id": None, "azp": "them"})
    assert access_token(provider(token_types=["JWT"]), plain).client_id == "them"


def test_a_logout_token_names_who_signed_out() -> None:
    assert logout_token(provider(), signed(LOGOUT, {"typ": "logout+jwt"}), NOW) == ("j", "s", None, NOW)
    assert logout_token(provider(), signed({**LOGOUT, "sub": None, "sid": "1"}), NOW) == ("j", None, "1", NOW)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "x"}, "iss"), ({"aud": "api"}, "aud"), ({"jti": None}, "not a logout"), ({"jti": ""}, "not a logout"),
        ({"events": None}, "not a logout"), ({"events": {LOGOUT_EVENT: []}}, "not a logout"),
        ({"nonce": "n"}, "not a logout"), ({"iat": NOW - 301}, "too old"), ({"exp": NOW - 31}, "expired"),
        ({"sub": None}, "names nobody"), ({"sid": ""}, "names nobody"),
    ],
)  # fmt: skip
def test_an_invalid_logout_token_is_refused_for_its_reason(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(BadAnswer, match=f"(?i){why}"):
        logout_token(provider(), signed({**LOGOUT, **changes}), NOW)
