"""Tabs and machines that sleep: a frozen tab holds nobody up, and a laptop that was shut shows afterwards what has happened,
without a reload or a sign-in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from runtime.kafka import Kafka
from tests.support.events import films
from tests.support.gateway import Gateway, gateway
from tests.support.gateway_fixtures import log, tables
from tests.support.page import WAIT_MS, apart, browser, needs_chromium, open_page, sign_in
from tests.support.topic import pour

__all__ = ["browser", "log", "tables"]

pytestmark = needs_chromium

PING_SECONDS, SLOW_SECONDS = 4, 10
ASLEEP_SECONDS = 16.0
"""Longer than a gateway with these settings takes to close the socket of a client that answers no ping."""


@pytest.fixture(scope="module")
def server(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that gives clients up sooner than usual."""
    sooner = {"PING_SECONDS": str(PING_SECONDS), "SLOW_SECONDS": str(SLOW_SECONDS)}
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), sooner)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def context(browser: Browser, server: Gateway) -> Iterator[BrowserContext]:
    """A fresh browser profile."""
    made = browser.new_context(viewport={"width": 1200, "height": 800}, locale="en-US")
    made.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    yield made
    made.close()


def tab(context: BrowserContext, server: Gateway) -> Page:
    """Another tab on the live page."""
    page = context.new_page()
    page.goto(server.url)
    if page.get_by_role("button", name="Sign in").is_visible():
        sign_in(page)
    open_page(page, "live")
    expect(page.locator("#connection")).to_have_text("live")
    return page


def happen(log: Kafka, first: int) -> None:
    apart(pour, log, films(1, first=first))


@contextmanager
def stopped(*processes: psutil.Process) -> Iterator[None]:
    """They do nothing meanwhile, as what a browser or a machine has put to sleep."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def processes() -> set[psutil.Process]:
    """Of the browser, below this process."""
    return {one for one in psutil.Process().children(recursive=True) if "chrom" in one.name()}


def renderer_of(page: Page) -> psutil.Process:
    """The process that runs a tab's scripts: the one that works when the tab does."""
    renderers = [one for one in processes() if "--type=renderer" in one.cmdline()]
    before = {one: one.cpu_times().user for one in renderers}
    page.evaluate("() => { const end = performance.now() + 500; while (performance.now() < end) { } }")
    return max(renderers, key=lambda one: one.cpu_times().user - before[one])


def shows(page: Page, number: int, count: int = 1) -> None:
    expect(page.locator(".event", has_text=f"Film {number}")).to_have_count(count)


def test_a_frozen_tab_that_has_the_socket_holds_no_other_up(
    context: BrowserContext, server: Gateway, log: Kafka
) -> None:
    """A tab that the browser has frozen, a debugger has stopped, or whose script does not end."""
    first, second = tab(context, server), tab(context, server)
    assert renderer_of(first) != renderer_of(second)
    happen(log, 80_000)
    shows(first, 80_000)
    shows(second, 80_000)
    with stopped(renderer_of(first)):
        happen(log, 80_001)
        shows(second, 80_001)
        happen(log, 80_002)
        shows(second, 80_002)
    for page in (first, second):
        happen_and_show(page, log, 80_003 if page is first else 80_004)
    for number in (80_001, 80_002, 80_003, 80_004):
        shows(first, number)
        shows(second, number)


def happen_and_show(page: Page, log: Kafka, number: int) -> None:
    happen(log, number)
    shows(page, number)


def test_a_laptop_that_was_shut_shows_what_has_happened_meanwhile(
    context: BrowserContext, server: Gateway, log: Kafka
) -> None:
    first, second = tab(context, server), tab(context, server)
    happen(log, 81_000)
    shows(second, 81_000)
    with stopped(*processes()):
        time.sleep(ASLEEP_SECONDS / 2)
        happen(log, 81_001)
        time.sleep(ASLEEP_SECONDS / 2)
        happen(log, 81_002)
    happen(log, 81_003)
    for page in (first, second):
        for number in (81_001, 81_002, 81_003):
            shows(page, number)
        expect(page.locator("#connection")).to_have_text("live")
