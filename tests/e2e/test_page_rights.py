"""The page of a user who may see only a part: nothing else is on it, nothing is wrong on it, and revoked parts disappear."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from runtime.kafka import Kafka
from schemas.channels import MEDIA_UPDATES
from tests.support.events import event, film
from tests.support.gateway import PASSWORD, Gateway
from tests.support.gateway_fixtures import log, server, tables, token
from tests.support.page import apart, browser, needs_chromium, open_page, page, sign_in
from tests.support.topic import NewRecord, write

__all__ = ["browser", "log", "page", "server", "tables", "token"]

pytestmark = needs_chromium


def seen(number: int, title: str, root: str) -> NewRecord:
    data = film(number, title=title)
    data["media"]["storage_root"] = root  # type: ignore[index]
    return event(MEDIA_UPDATES, data, id=f"film-{number}", time="2024-01-15T10:30:00Z")


def test_a_page_shows_only_what_its_user_may_see(page: Page, server: Gateway, token: str, log: Kafka) -> None:
    rights = {"channels": ["media_updates", "system_updates"], "storage_roots": ["music"]}
    with server.http(token) as http:
        made = http.post("/api/v1/users", json={"username": "kim", "password": PASSWORD, "rights": rights})
        assert made.status_code == 201
        page.set_viewport_size({"width": 360, "height": 740})
        sign_in(page, "kim")
        open_page(page, "more")
        expect(page.get_by_role("link", name="Replay")).to_be_visible()
        expect(page.get_by_role("link", name="Administration")).to_have_count(0)
        open_page(page, "admin")
        expect(page.get_by_text("Your account may not see this.")).to_be_visible()
        open_page(page, "replay")
        expect(page.locator("#channel option")).to_have_text(["media", "system"])
        expect(page.locator("#replay-error")).to_have_count(0)
        open_page(page, "live")
        records = seen(1, "Hidden Film", "films"), seen(2, "Shown Song", "music")
        apart(write, log, *records)
        expect(page.get_by_text("Shown Song")).to_be_visible()
        expect(page.get_by_text("Hidden Film")).to_have_count(0)
        rights["channels"] = ["media_updates"]
        assert http.patch("/api/v1/users/kim", json={"rights": rights}).status_code == 200
        expect(page.locator("#channel option")).to_have_text(["Channel: all", "media"])
        expect(page.locator("#connection")).to_have_text("live")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
