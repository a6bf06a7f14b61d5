"""The client library in a real browser: one socket for all tabs, whatever tabs do; a reload loses nothing."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from runtime.kafka import Kafka
from tests.support.events import films
from tests.support.gateway import PASSWORD, Gateway, gateway
from tests.support.gateway_fixtures import log, tables
from tests.support.page import apart, browser, needs_chromium
from tests.support.topic import pour
from tests.support.web_client import CLIENT, npm_tool

__all__ = ["browser", "log", "tables"]

pytestmark = needs_chromium

PAGE = """<!doctype html><title>tab</title><script type="module">
import { Session, WebSocketClient } from "./index.js";
const gateway = new URLSearchParams(location.search).get("gateway");
const api = `${gateway}/api/v1`;
window.session = new Session({ api });
const received = JSON.parse(sessionStorage.getItem("received") ?? "[]");
window.client = new WebSocketClient(undefined, { url: `${gateway.replace("http", "ws")}/ws`, api });
client.on("media_update", ({ data }) => {
  received.push(data.media_id);
  sessionStorage.setItem("received", JSON.stringify(received));
});
client.on("subscribed", ({ channel }) => (window.following = channel));
client.on("closed", ({ code }) => (window.closedWith = code));
window.ready = true;
</script>"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder."""

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site with the library as it is published, another origin than the gateway's."""
    folder = tmp_path_factory.mktemp("client")
    subprocess.run([npm_tool("tsc"), "-p", "tsconfig.build.json", "--outDir", folder], cwd=CLIENT, check=True)
    (folder / "page.html").write_text(PAGE)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(log: Kafka, tables: str, site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose events the site may show."""
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), {"ALLOWED_ORIGINS": json.dumps([site])})
    running.start()
    yield running
    running.kill()


class Tabs:
    """Tabs of one browser profile, and how many sockets they have opened."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self._context = context
        self._address = address
        self.sockets = 0
        self.locks = True

    def open(self) -> Page:
        """Another tab that follows the events."""
        page = self._context.new_page()
        page.on("websocket", lambda _: setattr(self, "sockets", self.sockets + 1))
        page.goto(self._address)
        page.wait_for_function("window.ready")
        if not page.evaluate("session.current()"):
            page.evaluate("password => session.signIn('admin', password)", PASSWORD)
        follow(page)
        return page


def crash(page: Page) -> None:
    """Its process ends without a message to the other tabs."""
    with pytest.raises(PlaywrightError):
        page.goto("chrome://crash", timeout=3_000)


def follow(page: Page) -> None:
    page.wait_for_function("window.ready")
    page.evaluate("client.connect()")
    page.wait_for_function("window.following")


def received(page: Page, count: int) -> list[int]:
    """The events that a tab has received, once there are `count` of them."""
    page.wait_for_function(f"JSON.parse(sessionStorage.getItem('received') ?? '[]').length >= {count}")
    found: list[int] = json.loads(page.evaluate("sessionStorage.getItem('received')"))
    return found


@pytest.fixture(params=[True, False], ids=["locks", "without locks, as on plain http"])
def tabs(request: pytest.FixtureRequest, browser: Browser, server: Gateway, site: str) -> Iterator[Tabs]:
    """A fresh profile. Without locks each tab has its own socket."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    if not request.param:
        context.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")
    opened = Tabs(context, f"{site}/page.html?gateway={server.url}")
    opened.locks = request.param
    yield opened
    context.close()


class Numbers:
    """Films that are appended, with numbers that nobody had."""

    used = 0

    def __init__(self, log: Kafka) -> None:
        self._log = log

    def pour(self, count: int) -> list[int]:
        first = Numbers.used
        Numbers.used += count
        apart(pour, self._log, films(count, first=first))
        return list(range(first, first + count))


@pytest.fixture
def numbers(log: Kafka) -> Numbers:
    return Numbers(log)


def test_tabs_share_a_socket_and_each_receives_each_event_once_whoever_crashes_or_leaves_and_comes_back(
    tabs: Tabs, numbers: Numbers
) -> None:
    first, second, third = tabs.open(), tabs.open(), tabs.open()
    assert tabs.sockets == (1 if tabs.locks else 3)
    poured = numbers.pour(20)
    assert [received(page, 20) for page in (first, second, third)] == [poured] * 3

    crash(first)  # it had the socket
    poured += numbers.pour(50)
    assert [received(page, 70) for page in (second, third)] == [poured] * 2
    assert tabs.sockets == (2 if tabs.locks else 3)

    second.goto("about:blank")
    poured += numbers.pour(50)
    assert received(third, 120) == poured
    second.go_back()
    follow(second)
    poured += numbers.pour(5)
    assert [received(page, 125) for page in (second, third)] == [poured] * 2

    second.evaluate("session.signOut()")
    for page in (second, third):
        page.wait_for_function("window.closedWith === 4003")
