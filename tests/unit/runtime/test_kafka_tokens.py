"""Tokens for Kafka: one for all, renewed before its end, the old one used while there is no new one; what goes wrong names
the endpoint and the status, and never the secret."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.kafka_tokens import TokenClient, TokenError, Tokens, check_endpoint
from tests.support.tls import Authority
from tests.support.token_endpoint import TokenEndpoint

SECRET = "S3CR3T x/+&=%ä"
LIFE = 300


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    endpoint = TokenEndpoint({"media app": SECRET}, LIFE).start()
    try:
        yield endpoint
    finally:
        endpoint.stop()


@pytest.fixture
def client(endpoint: TokenEndpoint) -> TokenClient:
    return TokenClient(endpoint.url, "media app", SECRET, "kafka read")


class Clock:
    """Set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_one_serves_all_clients_until_four_fifths_of_its_life(
    endpoint: TokenEndpoint, client: TokenClient
) -> None:
    clock = Clock()
    tokens = Tokens(client, clock)

    async def several() -> set[str]:
        return set(await asyncio.gather(*(tokens.token() for _ in range(5))))

    (first,) = asyncio.run(several())
    clock.now += LIFE * 0.8 - 1
    assert asyncio.run(several()) == {first}  # of another event loop too
    assert endpoint.given == 1
    clock.now += 2
    (second,) = asyncio.run(several())
    assert second != first
    assert endpoint.scopes == ["kafka read", "kafka read"]


def test_the_old_one_is_used_as_long_as_it_is_valid(endpoint: TokenEndpoint, client: TokenClient) -> None:
    clock = Clock()
    tokens = Tokens(client, clock)
    first = tokens.current()
    endpoint.stop()
    clock.now += LIFE * 0.9
    assert tokens.current() == first
    clock.now += LIFE * 0.1
    with pytest.raises(TokenError, match="cannot be reached"):
        tokens.current()


def test_who_has_just_failed_waits_before_asking_again(endpoint: TokenEndpoint, client: TokenClient) -> None:
    clock = Clock()
    tokens = Tokens(client, clock)
    endpoint.faults.status = 503
    with pytest.raises(TokenError) as failed:
        tokens.current()
    assert failed.value.retryable
    endpoint.faults.status = 0
    with pytest.raises(TokenError, match="503"):
        tokens.current()
    clock.now += 1
    assert tokens.current()


@pytest.mark.parametrize(
    ("status", "body", "setting", "words", "passing"),
    [
        (401, b'{"error": "invalid_client", "error_description": "S3CR3T x"}', "CLIENT_SECRET",
         "answers HTTP 401 invalid_client to client media app", False),
        (400, b'{"error": "invalid_scope"}', "SASL_OAUTHBEARER_SCOPE", "answers HTTP 400 invalid_scope", False),
        (403, b"no", "CLIENT_SECRET", "answers HTTP 403 to client", False),
        (404, b"<html>", "TOKEN_ENDPOINT_URL", "answers HTTP 404 to client", False),
        (302, b"", "TOKEN_ENDPOINT_URL", "answers HTTP 302 to client", False),
        (200, b"<html>", "TOKEN_ENDPOINT_URL", "answers HTTP 200 without a token", False),
        (200, b'{"access_token": "a\\u0001b"}', "TOKEN_ENDPOINT_URL", "answers HTTP 200 without a token", False),
        (429, b"", "TOKEN_ENDPOINT_URL", "answers HTTP 429", True),
        (500, b"S3CR3T", "TOKEN_ENDPOINT_URL", "answers HTTP 500 to client", True),
    ],
)  # fmt: skip
def test_what_the_endpoint_refuses_is_one_line(
    endpoint: TokenEndpoint, client: TokenClient, status: int, body: bytes, setting: str, words: str, passing: bool
) -> None:
    endpoint.faults.status, endpoint.faults.body = status, body
    endpoint.faults.location = f"{endpoint.issuer}/elsewhere" if status == 302 else None
    with pytest.raises(TokenError) as failed:
        Tokens(client).current()
    reported = str(failed.value)
    assert f"{setting})" in reported
    assert f"{endpoint.url} {words}" in reported
    assert failed.value.retryable is passing
    assert "S3CR3T" not in reported


def test_a_wrong_secret_is_no_part_of_the_message(endpoint: TokenEndpoint, client: TokenClient) -> None:
    with pytest.raises(TokenError, match="HTTP 401 invalid_client") as failed:
        Tokens(dataclasses.replace(client, secret="canary")).current()
    assert "canary" not in str(failed.value)
    assert "canary" not in repr(failed.value)


def test_whom_the_endpoint_is_believed_by_is_named(client: TokenClient, tmp_path: Path) -> None:
    missing = dataclasses.replace(client, cafile=tmp_path / "ca.pem")
    with pytest.raises(TokenError, match=r"SASL_OAUTHBEARER_CAFILE.*ca\.pem cannot be read: No such file"):
        Tokens(missing).current()
    (tmp_path / "tls").mkdir()
    assert Tokens(dataclasses.replace(client, cafile=Authority(tmp_path / "tls").file)).current()


@pytest.mark.parametrize(
    "url", ["https://id.example/token", "http://127.0.0.1:1/t", "http://localhost/t", "http://[::1]/t"]
)
def test_a_secret_goes_over_tls_or_stays_here(url: str) -> None:
    assert check_endpoint(url) is None


@pytest.mark.parametrize(
    "url",
    ["http://id.example/token", "https:///t", "id.example/token", "https://u:p@id.example/t", "http://[::1/t"],
)
def test_a_secret_goes_nowhere_else(url: str) -> None:
    assert check_endpoint(url) is not None
