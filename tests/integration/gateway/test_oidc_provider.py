"""A gateway's requests to a provider and its checks of the answers: the discovery document, keys, and their limits; and what
the settings refuse before any request."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import RSAKey

from gateway.access.oidc.errors import BadAnswer, CodeRefused, ProviderAway
from gateway.access.oidc.provider import Provider
from gateway.access.oidc.provider_settings import ProviderSettings
from tests.support.command import ROOT
from tests.support.oidc_fixtures import corp
from tests.support.oidc_provider import OidcProvider

T = TypeVar("T")


@pytest.fixture
def its() -> Iterator[OidcProvider]:
    """A provider whose document has not been read yet."""
    provider = OidcProvider().start()
    yield provider
    provider.stop()


def request(its: OidcProvider, question: Callable[[Provider], Awaitable[T]], **settings: Any) -> T:
    """The result at a gateway that was just started."""

    async def work() -> T:
        provider = Provider(ProviderSettings(**corp(its.issuer, **settings)), "http://127.0.0.1/callback")
        try:
            return await question(provider)
        finally:
            await provider.close()

    return asyncio.run(work())


async def start(provider: Provider) -> str:
    return await provider.sign_in_address("state", "nonce", "verifier" * 8)


def test_a_document_of_another_issuer_is_no_document(its: OidcProvider) -> None:
    for issuer in ("https://evil.example", its.issuer + "/", None, ["x"]):
        its.faults.document = {"issuer": issuer}
        with pytest.raises(ProviderAway, match="issuer"):
            request(its, start)


def test_a_document_that_redirects_is_not_followed(its: OidcProvider) -> None:
    its.faults.document_redirects = True
    with pytest.raises(ProviderAway, match="redirects"):
        request(its, start)
    assert "/elsewhere" not in its.requests


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/x", "http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/x", "file:///etc/passwd",
        "https://127.0.0.1.evil.example/", "//evil.example", "gopher://127.0.0.1/", "http://[::1", "", None, 7,
    ],
)  # fmt: skip
def test_a_document_sends_nobody_elsewhere(its: OidcProvider, name: str, address: object) -> None:
    its.faults.document = {name: address}
    with pytest.raises(ProviderAway):
        request(its, start)


def test_a_further_host_is_used_if_the_settings_name_it(its: OidcProvider) -> None:
    its.faults.document = {"jwks_uri": f"http://localhost:{its.port}/jwks"}
    with pytest.raises(ProviderAway, match="hosts"):
        request(its, start)
    token = its.access_token()
    signed = request(its, lambda provider: provider.signed(token), hosts=[f"localhost:{its.port}"])
    assert signed.claims["sub"] == "0001"


def test_an_answer_without_end_and_one_that_never_comes_are_given_up(its: OidcProvider) -> None:
    its.faults.bytes = 300_000
    with pytest.raises(ProviderAway, match="more than"):
        request(its, start)
    its.faults.bytes = 0
    its.faults.slow_seconds = 8
    began = time.monotonic()
    with pytest.raises(ProviderAway, match="Timeout"):
        request(its, start)
    assert time.monotonic() - began < 7


@pytest.mark.parametrize("status", [301, 404, 500, 503])
def test_an_answer_of_another_status_is_none(its: OidcProvider, status: int) -> None:
    its.faults.status = status
    with pytest.raises(ProviderAway):
        request(its, start)


def test_a_provider_that_is_away_is_tried_again_later_and_fails_at_once_meanwhile(its: OidcProvider) -> None:
    its.stop()

    async def twice(provider: Provider) -> float:
        with pytest.raises(ProviderAway):
            await start(provider)
        its.start()
        began = time.monotonic()
        with pytest.raises(ProviderAway):  # not tried again yet
            await start(provider)
        return time.monotonic() - began

    assert request(its, twice) < 0.5
    assert its.requests == []


def test_many_requests_at_once_are_one(its: OidcProvider) -> None:
    token = its.access_token()

    async def many(provider: Provider) -> None:
        await asyncio.gather(*(provider.signed(token) for _ in range(50)))

    request(its, many)
    assert its.requests == ["/.well-known/openid-configuration", "/jwks"]


def test_keys_of_other_uses_and_short_ones_sign_nothing(its: OidcProvider) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        short = RSAKey.generate_key(1024)
    its.keys["short"] = short
    with pytest.raises(BadAnswer):
        request(its, lambda provider: provider.signed(its.access_token(header={"kid": "short"})))
    del its.keys["short"]
    kid = its.kid()
    its.faults.keys = [
        {**its.keys[kid].as_dict(private=False), "kid": kid, "use": "enc"},
        {"kty": "oct", "k": "YQ", "kid": "o"},
    ]
    with pytest.raises(BadAnswer):
        request(its, lambda provider: provider.signed(its.access_token()))


def test_no_algorithm_is_taken_that_the_settings_do_not_name(its: OidcProvider) -> None:
    token = its.access_token(header={"alg": "RS512"})
    with pytest.raises(BadAnswer):
        request(its, lambda provider: provider.signed(token), algorithms=["RS256"])


def test_a_wrong_secret_is_reported_for_the_operator(its: OidcProvider) -> None:
    with pytest.raises(ProviderAway, match="invalid_client"):
        request(its, lambda provider: provider.exchange("code", "verifier"), client_secret="wrong")
    with pytest.raises(CodeRefused):
        request(its, lambda provider: provider.exchange("code", "verifier"))


FAULTS: dict[str, tuple[object, str]] = {
    "plain http": ([{"issuer": "http://id.example"}], "gateway.oidc.0.issuer"),
    "an issuer with a query": ([{"issuer": "https://id.example?x=1"}], "gateway.oidc.0.issuer"),
    "a misspelt key": ([{"client_sekret": "x"}], "gateway.oidc.0.client_sekret"),
    "an id that is an address": ([{"id": "../x"}], "gateway.oidc.0.id"),
    "a symmetric algorithm": ([{"algorithms": ["HS256"]}], "gateway.oidc.0.algorithms.0"),
    "the algorithm none": ([{"algorithms": ["none"]}], "gateway.oidc.0.algorithms.0"),
    "a role that is none": ([{"mapping": {"a": {"role": "root"}}}], "gateway.oidc.0.mapping.a.role"),
    "nobody let in": ([{"mapping": {}}], "gateway.oidc.0"),
    "no openid": ([{"scopes": ["profile"]}], "gateway.oidc.0.scopes"),
    "two secrets": ([{"client_secret_file": "/nowhere"}], "gateway.oidc.0"),
    "a secret's file that is not there": (
        [{"client_secret": None, "client_secret_file": "/nowhere"}],
        "gateway.oidc.0",
    ),
    "ID tokens as access tokens": ([{"token_types": ["JWT"], "audiences": ["catalogizer"]}], "gateway.oidc.0"),
    "more rights than a token holds": (
        [{"mapping": {str(n): {"libraries": [f"l{n}-{m}" for m in range(40)]} for n in range(2)}}],
        "gateway.oidc.0",
    ),
    "two of one issuer": ([{}, {"id": "other"}], "gateway.oidc"),
    "two of one id": ([{}, {"issuer": "https://other.example"}], "gateway.oidc"),
    "a CA file that is not there": ([{"ca_file": "/nowhere"}], "gateway.oidc"),
    "nowhere to come back to": ([{}], "gateway.public_url"),
    "no list": ({"a": 1}, "gateway.oidc"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_settings_that_do_not_hold_are_one_line_that_names_the_key(tmp_path: Path, fault: str) -> None:
    entries, key = FAULTS[fault]
    if isinstance(entries, list):
        entries = [{**corp("https://id.example", client_secret="very hidden"), **entry} for entry in entries]
    environment = {
        "PATH": "/usr/bin:/bin",
        "CATALOGIZER_STATE_DIR": str(tmp_path),
        "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "CATALOGIZER_DATABASE__URL": "postgresql://127.0.0.1:1/none",
        "CATALOGIZER_GATEWAY__TOKEN_SECRET": "8f2d6c1b9a7e4f3c8d5a6b7c0e1f2a3b",
        "CATALOGIZER_GATEWAY__OIDC": json.dumps(entries),
        "CATALOGIZER_GATEWAY__HOST": "0.0.0.0" if fault == "nowhere to come back to" else "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "serve"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    faults = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(faults) == 1, done.stderr
    assert faults[0].startswith(f"error: {key} (CATALOGIZER_GATEWAY__"), done.stderr
    assert "very hidden" not in done.stderr
