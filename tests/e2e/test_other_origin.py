"""A page of another origin that the settings allow, as a developer's own server gives it, in a real browser: it signs in,
reads and changes by REST, reads an error's words, and connects. One of an origin that is not allowed does none of that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from runtime.kafka import Kafka
from tests.support.gateway import PASSWORD, Gateway, gateway
from tests.support.gateway_fixtures import log, tables
from tests.support.page import browser, needs_chromium

__all__ = ["browser", "log", "tables"]

pytestmark = needs_chromium

TRY = """async ([url, password]) => {
    const json = {"Content-Type": "application/json"};
    const signIn = body => fetch(url + "/api/v1/auth/login", {method: "POST", headers: json, body: JSON.stringify(body)});
    const refused = await (await signIn({username: "admin", password: "not it at all"})).json();
    const {token} = await (await signIn({username: "admin", password})).json();
    const headers = {...json, Authorization: `Bearer ${token}`};
    const roots = await (await fetch(url + "/api/v1/storage/roots", {headers})).json();
    const made = await fetch(url + "/api/v1/tokens", {method: "POST", headers, body: JSON.stringify({name: "page"})});
    const gone = await fetch(url + "/api/v1/tokens/page", {method: "DELETE", headers});
    const id = gone.headers.get("X-Request-ID");
    const socket = new WebSocket(url.replace("http", "ws") + "/ws?token=" + token);
    const heard = await new Promise(resolve => {
        socket.onopen = () => socket.send(JSON.stringify({type: "subscribe", channel: "media_updates"}));
        socket.onmessage = event => resolve(JSON.parse(event.data).type);
        socket.onclose = event => resolve(event.code);
    });
    return {refused: refused.error, roots: roots.roots.length, made: made.status, gone: gone.status, id: !!id, heard};
}"""


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[list[str]]:
    """Two other origins."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _Empty) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://127.0.0.1:{server.server_port}" for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def server(
    log: Kafka, tables: str, elsewhere: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that allows the first of them."""
    settings = {"ALLOWED_ORIGINS": f'["{elsewhere[0]}"]'}
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), settings)
    running.start()
    yield running
    running.kill()


def test_a_page_of_an_allowed_origin_signs_in_and_connects(
    browser: Browser, server: Gateway, elsewhere: list[str]
) -> None:
    page = browser.new_page()
    page.goto(elsewhere[0])
    assert page.evaluate(TRY, [server.url, PASSWORD]) == {
        "refused": "invalid_credentials", "roots": 0, "made": 201, "gone": 200, "id": True, "heard": "subscribed",
    }  # fmt: skip
    page.close()


def test_a_page_of_another_origin_can_read_nothing_and_not_connect(
    browser: Browser, server: Gateway, elsewhere: list[str]
) -> None:
    page = browser.new_page()
    page.goto(elsewhere[1])
    assert "Failed to fetch" in page.evaluate(f"args => ({TRY})(args).catch(String)", [server.url, PASSWORD])
    code = page.evaluate(
        "url => new Promise(done => { new WebSocket(url).onclose = event => done(event.code) })",
        server.ws_url + "?token=" + server.sign_in(),
    )
    assert code == 1006
    page.close()
