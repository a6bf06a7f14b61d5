"""Every page in a real browser behind the proxies of docs/proxies.md: on a path, on a port, with TLS."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Page, Response, expect, sync_playwright

from runtime.kafka import Kafka
from tests.support.events import films
from tests.support.gateway_fixtures import log, tables
from tests.support.page import ALL, CHROMIUM, WAIT_MS, apart, needs_chromium, open_page, sign_in
from tests.support.page_world import fill
from tests.support.proxies import HOST, Proxied, proxied
from tests.support.topic import pour

__all__ = ["log", "proxied", "tables"]

pytestmark = needs_chromium

LONGEST_PAUSE_MS = 3 * WAIT_MS
"""A page waits for up to 16 s, and a half more by chance, before it tries to connect again."""
NEW = count(70_000)
"""Films that no test had: the live page shows earlier events too."""
NOBODY_HAS = ("/media/5000000", "/media/900001")
"""What pages look for and is rightly not found."""


@pytest.fixture(scope="module", autouse=True)
def filled(tables: str) -> None:
    """With items, covers, roots and history."""
    fill(tables, 50)


@pytest.fixture
def page(proxied: Proxied) -> Iterator[Page]:
    """A browser that finds the proxy under its name, on the page."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", f"--host-resolver-rules=MAP {HOST} 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        context = browser.new_context(
            ignore_https_errors=True, locale="en-US"
        )  # the certificate is the test's own
        context.set_default_timeout(WAIT_MS)
        expect.set_options(timeout=WAIT_MS)
        opened = context.new_page()
        opened.goto(f"{proxied.url}/")
        yield opened
        browser.close()


def test_every_page_works_and_everything_it_requests_is_below_the_path(
    page: Page, proxied: Proxied, log: Kafka
) -> None:
    requested: list[str] = []
    refused: list[str] = []
    errors: list[str] = []

    def answered(response: Response) -> None:
        if response.status >= 400 and not response.url.partition("?")[0].endswith(NOBODY_HAS):
            refused.append(f"{response.status} {response.url}")

    page.on("request", lambda request: requested.append(request.url))
    page.on("websocket", lambda socket: requested.append(socket.url))
    page.on("response", answered)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.reload()
    sign_in(page)
    for address in ALL:
        open_page(page, address)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_text("Loading…")).to_have_count(0)
    open_page(page, "catalogue?view=grid")
    expect(page.locator(".poster img").first).to_have_js_property("complete", True)
    assert page.locator(".poster img").first.evaluate("image => image.naturalWidth") > 0
    page.reload()
    expect(page.locator("#connection")).to_have_text("live")
    open_page(page, "live")
    apart(pour, log, films(1, first=(new := next(NEW))))
    expect(page.locator(".event", has_text=f"Film {new}")).to_have_count(1)
    place = proxied.url.removeprefix("https://")
    assert [url for url in requested if not url.startswith((f"https://{place}/", f"wss://{place}/"))] == []
    assert any(url.startswith("wss://") for url in requested)
    assert (refused, errors) == ([], [])


def test_a_gateway_that_was_away_is_found_again_without_a_reload(page: Page, proxied: Proxied, log: Kafka) -> None:
    sign_in(page)
    open_page(page, "live")
    expect(page.locator("#connection")).to_have_text("live")
    proxied.server.kill()
    expect(page.locator("#connection")).not_to_have_text("live")
    apart(pour, log, films(1, first=(new := next(NEW))))
    apart(proxied.server.start)
    expect(page.locator("#connection")).to_have_text("live", timeout=LONGEST_PAUSE_MS)
    expect(page.locator(".event", has_text=f"Film {new}")).to_have_count(1)
