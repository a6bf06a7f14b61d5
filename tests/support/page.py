"""The page in a real browser: Chromium, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.gateway import PASSWORD, Gateway

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

P = ParamSpec("P")
R = TypeVar("R")

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: the page was not looked at"
)

WAIT_MS = 15_000
ALL = (
    "", "catalogue?view=grid", "catalogue?view=table", "item/1", "item/900001", "item/5000000", "live",
    "replay?channel=system_updates&from=earliest", "history", "libraries", "health", "admin", "account", "more", "nowhere",
)  # fmt: skip
"""Addresses of all pages, over the catalogue of `page_world`; two are of nothing."""


@pytest.fixture(scope="module")
def browser(server: Gateway) -> Iterator[Browser]:
    """One Chromium for all tests, started after the servers (they are set up with event loops of their own)."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, server: Gateway) -> Iterator[Page]:
    """A fresh browser profile on the page; a script error or a broken content policy fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 800}, locale="en-US")
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(f"{error} {error.stack}"))
    opened.on(
        "console",
        lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None,
    )
    opened.goto(server.url)
    yield opened
    context.close()
    assert faults == []


def apart(work: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """What `work` returns, done in a thread: Playwright has an event loop of its own in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work, *arguments, **options).result()


def sign_in(page: Page, name: str = "admin") -> None:
    page.get_by_label("User name or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#connection")).to_have_text("live")


def open_page(page: Page, address: str) -> None:
    """Another page of the same document: `live`, `replay?channel=…`."""
    page.evaluate("address => { location.hash = '#/' + address }", address)


def scroll(page: Page, *, to: int | None = None) -> None:
    """To a height in pixels, or a screen further down; until what belongs there is drawn.

    Lists draw their rows where the browser reports the scrolling, which it does with its next frame.
    """
    page.evaluate("to => to === null ? scrollBy(0, innerHeight) : scrollTo(0, to)", to)
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
