"""Fixtures: a test provider and two gateways that trust it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from runtime.kafka import Kafka
from tests.support.gateway import Gateway, gateway
from tests.support.oidc_provider import AUDIENCE, CLIENT, CLIENT_SECRET, OidcProvider
from tests.support.signing_in import providers

MAPPING = {
    "staff": {"role": "viewer", "libraries": ["films"]},
    "editors": {"role": "operator", "libraries": ["music"], "channels": ["media_updates"]},
    "media-admins": {"role": "admin"},
}


def corp(issuer: str, **changes: Any) -> dict[str, Any]:
    """The provider's settings."""
    return {
        "id": "corp", "name": "Example Corp", "issuer": issuer, "client_id": CLIENT, "client_secret": CLIENT_SECRET,
        "audiences": [AUDIENCE], "mapping": MAPPING, **changes,
    }  # fmt: skip


@pytest.fixture(scope="module")
def its_keys() -> Iterator[OidcProvider]:
    """The provider, for the module."""
    provider = OidcProvider().start()
    yield provider
    provider.stop()


@pytest.fixture
def provider(its_keys: OidcProvider) -> OidcProvider:
    """The provider as it should be."""
    its_keys.honest()
    return its_keys


@pytest.fixture(scope="module")
def settings(its_keys: OidcProvider) -> dict[str, str]:
    """Of the gateways. The second provider is the same one under an address of its own, and lets in whom it knows."""
    closed = corp(
        f"http://localhost:{its_keys.port}", id="closed", name="Closed", first_sign_in="refuse", audiences=[]
    )
    return {"OIDC": providers(corp(its_keys.issuer), closed), "SLOW_SECONDS": "5"}


@pytest.fixture(scope="module")
def server(
    log: Kafka, tables: str, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway."""
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), settings)
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def second(
    server: Gateway, log: Kafka, tables: str, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """Another one, behind the same address for browsers."""
    own = {**settings, "PUBLIC_URL": server.url}
    running = gateway(log, tables, tmp_path_factory.mktemp("second"), own)
    running.start()
    yield running
    running.kill()
