"""The page signs nobody out while the refresh token is valid: reopened, duplicated and sleeping tabs, a refresh that is
answered 503 until the token's end, a socket that is closed with 4002. And it signs all tabs out when the session ends."""

from __future__ import annotations

import json
import re
import time

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.forging import forge
from tests.support.gateway import PASSWORD, Gateway
from tests.support.gateway_fixtures import log, server, tables, token
from tests.support.page import browser, needs_chromium, page, sign_in

__all__ = ["browser", "log", "page", "server", "tables", "token"]

pytestmark = needs_chromium

SESSION = "catalogizer.session"
REFRESH = "**/api/v1/auth/refresh"


def kept(page: Page) -> dict[str, object]:
    """What the tabs share."""
    found: dict[str, object] = json.loads(page.evaluate(f"localStorage.getItem('{SESSION}')"))
    return found


def keep(page: Page, **changes: object) -> None:
    """Change what the tabs share, as though time had passed."""
    page.evaluate(f"value => localStorage.setItem('{SESSION}', value)", json.dumps({**kept(page), **changes}))


def is_live(page: Page) -> None:
    expect(page.locator("#connection")).to_have_text("live")
    expect(page.get_by_text("The catalogue is still empty.")).to_be_visible()


def is_out(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def ending(server: Gateway, seconds: float) -> dict[str, object]:
    """A session whose token ends so soon and whose refresh token holds."""
    body = httpx.post(f"{server.url}/api/v1/auth/login", json={"username": "admin", "password": PASSWORD}).json()
    expires = time.time() + seconds
    short = forge(body["token"], exp=int(expires))
    return {
        "token": short,
        "refresh": body["refresh_token"],
        "expires": expires * 1_000,
        "early": 0,
        "user": "admin",
    }


def another(context: BrowserContext, server: Gateway) -> Page:
    opened = context.new_page()
    opened.goto(server.url)
    return opened


def test_a_tab_that_is_closed_and_opened_again_is_signed_in(page: Page, server: Gateway) -> None:
    sign_in(page)
    again = another(page.context, server)
    page.close()
    is_live(again)


@pytest.mark.parametrize("locks", [True, False], ids=["", "without locks, as on plain http"])
def test_tabs_that_renew_at_once_all_stay_and_share_one_session(page: Page, server: Gateway, locks: bool) -> None:
    if not locks:
        page.context.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")
    sign_in(page)
    before = kept(page)["refresh"]
    keep(page, expires=0)
    tabs = [another(page.context, server) for _ in range(3)]
    for tab in tabs:
        is_live(tab)
    keep(page, expires=0)
    for tab in [page, *tabs]:
        tab.evaluate("dispatchEvent(new Event('online'))")
    for tab in [page, *tabs]:
        is_live(tab)
    page.wait_for_function(f"JSON.parse(localStorage.getItem('{SESSION}')).expires > 0")  # renewed
    assert kept(page)["refresh"] != before
    held = {tab.evaluate(f"JSON.parse(localStorage.getItem('{SESSION}')).refresh") for tab in [page, *tabs]}
    assert len(held) == 1


def test_a_tab_that_slept_takes_up_what_the_others_have(page: Page, server: Gateway) -> None:
    """Its own refresh token was used long ago: shown again, it would end the session of all."""
    sign_in(page)
    sleeper = another(page.context, server)
    is_live(sleeper)
    sleeper.evaluate("window.addEventListener('storage', e => e.stopImmediatePropagation(), true)")
    for _ in range(3):
        keep(page, expires=0)
        page.reload()
        is_live(page)
    requested: list[str] = []
    sleeper.on("request", lambda request: requested.append(request.url))
    sleeper.evaluate("dispatchEvent(new Event('online'))")
    sleeper.get_by_label("Search the catalogue").press("Enter")
    expect(sleeper.locator("#search-state")).to_have_text("The catalogue is still empty.")
    sleeper.get_by_role("link", name="Home").click()
    is_live(sleeper)
    is_live(page)
    assert not [url for url in requested if url.endswith("/auth/refresh")]


def test_a_refresh_answered_503_until_the_token_ends_signs_nobody_out(page: Page, server: Gateway) -> None:
    page.route(REFRESH, lambda route: route.fulfill(status=503, json={"error": "unavailable", "message": "no"}))
    page.evaluate(f"value => localStorage.setItem('{SESSION}', value)", json.dumps(ending(server, 5)))
    page.reload()
    state = page.locator("#connection")
    expect(state).to_have_text("live")
    expect(state).to_have_text(re.compile("connection lost"))  # with 4002
    expect(page.locator("#workspace")).to_be_visible()
    page.unroute(REFRESH)
    page.evaluate("dispatchEvent(new Event('online'))")
    is_live(page)


def test_a_token_that_has_ended_is_renewed_whoever_notices_first(page: Page, server: Gateway) -> None:
    page.evaluate(
        f"value => localStorage.setItem('{SESSION}', value)",
        json.dumps({**ending(server, -3_600), "expires": time.time() * 1_000 + 10**9}),  # this clock is wrong
    )
    page.reload()
    is_live(page)


def test_who_signs_out_signs_all_tabs_out(page: Page, server: Gateway) -> None:
    sign_in(page)
    other = another(page.context, server)
    is_live(other)
    page.get_by_role("button", name="Sign out").click()
    is_out(page)
    is_out(other)


def test_a_session_that_was_ended_elsewhere_is_reported(page: Page, server: Gateway) -> None:
    sign_in(page)
    held = kept(page)["token"]
    httpx.post(f"{server.url}/api/v1/auth/logout", headers={"Authorization": f"Bearer {held}"})
    is_out(page)
    expect(page.get_by_text("Your session has ended. Sign in again.")).to_be_visible()
