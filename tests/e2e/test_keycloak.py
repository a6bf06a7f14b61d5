"""A real Keycloak and a real browser: people sign in through its own form, and what its administrator does there has its
effect here: groups, disabled users, logouts, other keys. Its access tokens open REST and sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Page, expect

from cli.up import ports
from runtime.kafka import Kafka
from tests.support.forging import read
from tests.support.gateway import Gateway, gateway
from tests.support.gateway_fixtures import log, tables
from tests.support.keycloak import AUDIENCE, CLIENT, CLIENT_SECRET, PASSWORD, Keycloak, running
from tests.support.page import apart, browser, needs_chromium, page
from tests.support.signing_in import Signing, providers
from tests.support.waiting import wait_until

__all__ = ["browser", "log", "page", "tables"]

REVOKED_SECONDS = 5
NAME = "Keycloak of a company that has given itself quite a long name"
KEYS_AGAIN_SECONDS = 5
MAPPING = {"staff": {"role": "viewer"}, "media-admins": {"role": "admin"}}


@pytest.fixture(scope="module")
def port() -> int:
    """The gateway's port: Keycloak is configured with it before the gateway starts."""
    return ports.free_port()


@pytest.fixture(scope="module")
def keycloak(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """One for all tests."""
    with running(tmp_path_factory.mktemp("keycloak"), f"http://127.0.0.1:{port}") as found:
        yield found


@pytest.fixture(scope="module")
def server(
    keycloak: Keycloak, port: int, log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that trusts it."""
    corp = {
        "id": "corp", "name": NAME, "issuer": keycloak.issuer, "client_id": CLIENT, "client_secret": CLIENT_SECRET,
        "audiences": [AUDIENCE], "mapping": MAPPING, "end_session": True,
    }  # fmt: skip
    options = {"OIDC": providers(corp), "PORT": str(port)}
    found = gateway(log, tables, tmp_path_factory.mktemp("gateway"), options)
    found.port = port
    found.start()
    yield found
    found.kill()


def sign_in(server: Gateway, keycloak: Keycloak, name: str) -> dict[str, Any]:
    """As a browser would, without one."""
    browser = Signing(server)
    started = browser.start()
    address = keycloak.sign_in(f"{started.headers['location']}&login_hint={name}")
    answer = browser.exchange(browser.come_back(address))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def refresh(server: Gateway, body: dict[str, Any]) -> httpx.Response:
    """An hour later."""
    with psycopg.connect(server.environment["CATALOGIZER_DATABASE__URL"]) as connection:
        connection.execute("UPDATE external_sessions SET asked_at = now() - interval '1 hour'")
    with server.http() as http:
        return http.post("/api/v1/auth/refresh", json={"refresh_token": body["refresh_token"]})


@needs_chromium
def test_somebody_signs_in_by_keyboard_through_keycloak_s_own_form_and_is_signed_out_from_there(
    page: Page, server: Gateway, keycloak: Keycloak
) -> None:
    button = page.get_by_role("button", name="Sign in with Keycloak")
    expect(button).to_be_visible()
    button.focus()
    page.keyboard.press("Enter")
    page.locator("#username").fill("alice")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#connection")).to_have_text("live")
    assert page.url == f"{server.url}/", "no code stays in the address"
    page.reload()
    expect(page.locator("#connection")).to_have_text("live")
    apart(keycloak.sign_out, "alice")
    expect(page.get_by_text("Your session has ended. Sign in again.")).to_be_visible(
        timeout=REVOKED_SECONDS * 1_000
    )
    expect(button).to_be_visible()


@needs_chromium
def test_who_signs_out_here_is_led_to_sign_out_there_and_comes_back(page: Page, server: Gateway) -> None:
    page.get_by_role("button", name="Sign in with Keycloak").click()
    page.locator("#username").fill("carla")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#connection")).to_have_text("live")
    page.get_by_role("button", name="Sign out").click()
    page.locator("#kc-logout").click()
    expect(page.get_by_role("button", name="Sign in with Keycloak")).to_be_visible()
    assert page.url.startswith(server.url)
    page.get_by_role("button", name="Sign in with Keycloak").click()
    expect(page.locator("#username")).to_be_visible()


@needs_chromium
def test_the_way_in_fits_a_phone_and_shows_who_is_not_let_in(page: Page, server: Gateway) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.reload()
    button = page.get_by_role("button", name="Sign in with Keycloak")
    expect(button).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    box = button.bounding_box()
    assert box is not None and box["height"] >= 36 and box["x"] >= 0 and box["x"] + box["width"] <= 360
    button.click()
    page.locator("#username").fill("dora")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("you have no access here", exact=False)).to_be_visible()
    assert page.url == f"{server.url}/"


def test_groups_there_are_the_role_here_at_the_sign_in_and_at_each_refresh(
    server: Gateway, keycloak: Keycloak
) -> None:
    body = sign_in(server, keycloak, "bea")
    assert body["user"]["role"]["name"] == "Admin"
    keycloak.set_groups("bea", "staff")
    body = refresh(server, body).json()
    assert body["user"]["role"]["name"] == "Viewer"
    keycloak.set_groups("bea")
    assert refresh(server, body).status_code == 401


def test_who_is_disabled_there_is_out_at_the_next_refresh(server: Gateway, keycloak: Keycloak) -> None:
    body = sign_in(server, keycloak, "erin")
    body = refresh(server, body).json()
    with server.client(body["token"]) as client:
        keycloak.enable("erin", False)
        assert refresh(server, body).status_code == 401
        assert client.close_code(REVOKED_SECONDS) == 4003


def test_its_administrator_ends_sockets_here_within_seconds(server: Gateway, keycloak: Keycloak) -> None:
    body = sign_in(server, keycloak, "fay")
    with server.client(body["token"]) as client:
        client.subscribe("media_updates")
        began = time.monotonic()
        keycloak.sign_out("fay")
        assert client.close_code(REVOKED_SECONDS) == 4003
        assert time.monotonic() - began < REVOKED_SECONDS
    assert refresh(server, body).status_code == 401


def test_its_access_tokens_open_rest_and_sockets(server: Gateway, keycloak: Keycloak) -> None:
    token = keycloak.access_token("fay")
    with server.http(token) as http:
        shown = http.get("/api/v1/auth/status").json()
        assert shown["user"]["username"] == "corp:fay"
        assert http.get("/api/v1/media/stats").status_code == 200
    with server.client(token) as client:
        assert client.subscribe("media_updates")["type"] == "subscribed"
    with server.http(keycloak.access_token("dora")) as http:
        assert http.get("/api/v1/media/stats").status_code == 401


def test_its_other_keys_are_taken_up(server: Gateway, keycloak: Keycloak) -> None:
    before = keycloak.access_token("fay")
    keycloak.rotate_keys()
    token = keycloak.access_token("fay")
    assert read(token)[0]["kid"] != read(before)[0]["kid"]

    def opens() -> bool:
        with server.http(token) as http:
            return http.get("/api/v1/media/stats").status_code == 200

    wait_until(opens, KEYS_AGAIN_SECONDS + 3, what="the new key")
    assert sign_in(server, keycloak, "fay")["user"]["username"] == "corp:fay"
