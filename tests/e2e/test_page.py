"""The pages in a real browser: sign in, see an event as it happens, replay from any start visibly marked, go back
to live, survive a restart of the gateway; nothing cut off on a phone; text is only ever text.

Needs Chromium; where there is none every test here says so and is skipped.
"""

from __future__ import annotations

import re
import time
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.up import ports
from runtime.kafka import Kafka
from schemas.channels import MEDIA_UPDATES, SYSTEM_UPDATES
from tests.support.events import event, film, films
from tests.support.gateway import PASSWORD, Gateway, gateway
from tests.support.gateway_fixtures import log, server, tables, token
from tests.support.page import WAIT_MS, apart, browser, needs_chromium, open_page, page, scroll, sign_in
from tests.support.prefix_proxy import behind_proxy
from tests.support.topic import NewRecord
from tests.support.topic import write as write_blocking

__all__ = ["browser", "log", "page", "server", "tables", "token"]

pytestmark = needs_chromium


def write(kafka: Kafka, *records: NewRecord) -> None:
    apart(write_blocking, kafka, *records)


def test_a_wrong_password_is_reported_and_the_right_one_signs_in(page: Page) -> None:
    page.get_by_label("User name or e-mail").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").filter(has_text="wrong user name or password")).to_be_visible()
    sign_in(page)
    expect(page.get_by_text("The catalogue is still empty.")).to_be_visible()
    open_page(page, "live")
    expect(page.get_by_text("Nothing yet.")).to_be_visible()


def test_an_event_shows_action_title_type_root_and_time(page: Page, log: Kafka) -> None:
    sign_in(page)
    open_page(page, "live")
    data = film(7, title="Stalker")
    media = {**data["media"], "year": 1979, "storage_root": "movies", "path": "s/Stalker.mkv"}  # type: ignore[dict-item]
    write(log, event(MEDIA_UPDATES, {**data, "media": media}, id="page-1", time="2026-01-15T10:30:00Z"))
    row = page.locator(".event").first
    expect(row.locator(".action")).to_have_text("created")
    expect(row.locator(".subject")).to_have_text("Stalker")
    expect(row.locator(".type")).to_have_text("Video · 1979")
    expect(row.locator(".root")).to_have_text("movies/s/Stalker.mkv")
    expect(row.locator("time")).to_have_attribute("datetime", "2026-01-15T10:30:00Z")
    exactly = page.evaluate(
        "new Date('2026-01-15T10:30:00Z').toLocaleString('en-US', {dateStyle: 'full', timeStyle: 'long'})"
    )
    expect(row.locator("time")).to_have_attribute("title", exactly)
    expect(row.locator(".mark")).to_have_count(0)


def test_a_title_that_is_markup_is_shown_as_text(page: Page, log: Kafka) -> None:
    sign_in(page)
    open_page(page, "live")
    title = "<img src=x onerror=document.title='owned'><b>bold</b>"
    write(log, event(MEDIA_UPDATES, film(8, title=title), id="page-2", time="2026-01-15T10:30:00Z"))
    expect(page.locator(".event .subject").first).to_have_text(title)
    assert page.locator(".event img, .event b").count() == 0
    assert page.title() == "Live – Catalogizer"


def test_a_warning_of_the_system_is_a_toast(page: Page, log: Kafka) -> None:
    sign_in(page)
    data = {"action": "storage_update", "component": "nas", "status": "error", "message": "connection lost to nas"}
    write(log, event(SYSTEM_UPDATES, data, id="page-3", time="2026-01-15T10:30:00Z"))
    expect(page.locator(".toast")).to_have_text("connection lost to nas")


@pytest.mark.parametrize("start", ["last", "time", "offset", "earliest"])
def test_replay_marks_what_is_history_and_goes_back_to_live(
    page: Page, log: Kafka, start: Literal["last", "time", "offset", "earliest"]
) -> None:
    write(log, *films(5, first=50))
    sign_in(page)
    open_page(page, "replay")
    page.get_by_label("Replay from").select_option(start)
    if start == "time":
        page.get_by_label("Time").fill("2026-01-01T00:00:00")
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.locator("#replay-state")).to_contain_text("is complete")
    expect(page.locator(".event.replayed", has_text="Film 54")).not_to_have_count(0)
    write(log, *films(1, first=70))
    live = page.locator(".event:not(.replayed)", has_text="Film 70").first
    expect(live).to_be_visible()
    expect(live.locator(".mark")).to_have_count(0)
    page.get_by_role("button", name="Back to live").click()
    expect(page.get_by_role("heading", name="Live")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".event")).to_have_count(0)
    write(log, *films(1, first=71))
    expect(page.locator(".event", has_text="Film 71")).to_have_count(1)
    expect(page.locator(".event.replayed")).to_have_count(0)


def test_a_replay_shows_the_catalogue_as_it_was_at_any_place(page: Page, log: Kafka) -> None:
    first = 90_000
    gone = {**film(first + 1), "action": "deleted"}
    changed = {**film(first + 2, title="Film renamed"), "action": "updated"}
    later = [
        event(MEDIA_UPDATES, gone, id="then-1", time="2026-01-15T10:31:00Z"),
        event(MEDIA_UPDATES, changed, id="then-2", time="2026-01-15T10:32:00Z"),
    ]
    write(log, *films(4, first=first), *later)
    sign_in(page)
    open_page(page, "replay?channel=media_updates&from=last:6")
    expect(page.locator("#replay-state")).to_contain_text("is complete")
    page.get_by_role("button", name="Catalogue", exact=True).click()
    titles = page.locator(".poster .subject")
    expect(titles).to_have_text(["Film renamed", f"Film {first + 3}", f"Film {first}"])
    expect(page.locator("#then")).to_contain_text("3 items at this moment of the replay")
    place = page.get_by_label("Place in the replay")
    place.fill("4")
    expect(titles).to_have_text([f"Film {n}" for n in (first + 3, first + 2, first + 1, first)])
    place.fill("1")
    expect(titles).to_have_text([f"Film {first}"])
    place.fill("0")
    expect(page.get_by_text("No item is there yet.")).to_be_visible()
    page.get_by_label("Speed").select_option("3,600×")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(titles).to_have_text(["Film renamed", f"Film {first + 3}", f"Film {first}"])
    write(log, *films(1, first=first + 9))
    expect(titles.first).to_have_text(f"Film {first + 9}")
    assert "view=catalogue" in page.url
    page.reload()
    expect(titles.first).to_have_text(f"Film {first + 9}")
    page.set_viewport_size({"width": 360, "height": 760})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.get_by_role("button", name="Events", exact=True).click()
    expect(page.locator(".event").first).to_be_visible()


def test_bad_replay_input_is_reported_beside_the_control(page: Page) -> None:
    sign_in(page)
    open_page(page, "replay")
    page.get_by_label("Replay from").select_option("offset")
    page.get_by_label("Partition").fill("99")
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.locator("#replay-error")).to_have_text("media_updates has partitions 0 to 1.")


def test_a_restart_of_the_gateway_loses_nothing_and_repeats_nothing(
    page: Page, log: Kafka, server: Gateway
) -> None:
    sign_in(page)
    open_page(page, "live")
    page.get_by_role("button", name="Clear").click()
    write(log, *films(3, first=80))
    expect(page.locator(".event")).to_have_count(3)
    server.kill()
    expect(page.locator("#connection")).to_contain_text("connection lost")
    write(log, *films(3, first=83))
    server.start()
    expect(page.locator("#connection")).to_have_text("live", timeout=40_000)
    expect(page.locator(".event")).to_have_count(6)
    assert sorted(page.locator(".event .subject").all_text_contents()) == [f"Film {n}" for n in range(80, 86)]


def test_signing_out_ends_the_session_and_a_reload_keeps_it(page: Page) -> None:
    sign_in(page)
    page.reload()
    expect(page.locator("#connection")).to_have_text("live")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_cut_off(page: Page, log: Kafka, width: int, scheme: Literal["light", "dark"]) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.emulate_media(color_scheme=scheme)
    sign_in(page)
    open_page(page, "live")
    title = "A_very_long_title_without_any_space_" * 5
    write(
        log, event(MEDIA_UPDATES, film(9, title=title), id=f"page-{scheme}-{width}", time="2026-01-15T10:30:00Z")
    )
    expect(page.locator(".event .subject").first).to_have_text(title)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    lightness = sum(int(part) for part in re.findall(r"\d+", ground)[:3]) / 3
    assert (lightness > 128) == (scheme == "light")


def test_it_works_by_keyboard_alone(page: Page) -> None:
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#connection")).to_have_text("live")
    assert {"Home", "Catalogue", "Live", "Replay", "Administration", "Sign out"} <= reached(page, 24)
    open_page(page, "replay")
    expect(page.locator("main")).to_be_focused()
    assert {"channel", "start", "last", "Replay"} <= reached(page, 6)
    open_page(page, "catalogue")
    expect(page.locator("main")).to_be_focused()
    assert {"query", "Sorted by", "Posters", "Table"} <= reached(page, 6)


def reached(page: Page, steps: int) -> set[str]:
    """What the Tab key leads to, by id, label or words."""
    found = set()
    for _ in range(steps):
        page.keyboard.press("Tab")
        found.add(
            page.evaluate(
                "(at => at.id || at.getAttribute('aria-label') || at.textContent.trim())(document.activeElement)"
            )
        )
    return found


def test_a_replay_of_many_events_is_read_in_parts_and_shown_whole(page: Page, log: Kafka) -> None:
    """And the document stays small."""
    first, count = 10_000, 5_200  # more than are read without being asked for
    write(log, *films(count, first=first))
    sign_in(page)
    open_page(page, "replay?channel=media_updates&from=earliest")
    state = page.locator("#replay-state")
    expect(state).to_contain_text("there are more")
    page.get_by_role("button", name="Read all").click()
    expect(state).to_contain_text("is complete", timeout=4 * WAIT_MS)
    total = int(state.get_attribute("data-events") or 0)
    assert total >= count
    seen = scrolled_through(page, total)
    assert len(seen) == total
    assert [title for title in seen.values() if re.fullmatch(r"Film 1[0-5]\d\d\d", title)] == [
        f"Film {n}" for n in reversed(range(first, first + count))
    ]
    scroll(page, to=0)
    write(log, *films(1, first=20_000))
    expect(page.locator(".event .subject").first).to_have_text("Film 20000")
    page.get_by_label("Place in the replay").fill("3")
    expect(page.locator(".event")).to_have_count(3)


SCROLL_THROUGH = """async (total) => {
  const seen = {}; let most = 0;
  for (let screen = 0; screen < total && !(total in seen); screen++) {
    const rows = [...document.querySelectorAll('.event')];
    most = Math.max(most, rows.length);
    for (const row of rows) seen[row.ariaPosInSet] = row.querySelector('.subject').textContent;
    scrollBy(0, innerHeight);
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
  return [Object.entries(seen), most];
}"""


def scrolled_through(page: Page, total: int) -> dict[int, str]:
    """The titles of a long list by their places, as somebody sees them who scrolls through it screen by screen."""
    seen, most_drawn = page.evaluate(SCROLL_THROUGH, total)
    assert most_drawn < 100
    return dict(sorted((int(place), title) for place, title in seen))


def rows_on_screen(page: Page) -> list[tuple[str, float]]:
    """The rows that are within the window, each with its distance from the window's top in pixels."""
    rows = (
        "[...document.querySelectorAll('.event')].map(row => [row.textContent, row.getBoundingClientRect().top])"
    )
    height = page.evaluate("innerHeight")
    return [(text, top) for text, top in page.evaluate(rows) if 0 <= top < height]


def test_who_reads_further_down_is_not_moved_and_a_paused_feed_waits(page: Page, log: Kafka) -> None:
    write(log, *films(60, first=50_000))
    sign_in(page)
    open_page(page, "live")
    expect(page.locator(".event", has_text="Film 50059")).to_be_visible()
    scroll(page, to=900)
    read = rows_on_screen(page)
    assert len(read) > 10
    write(log, *films(3, first=51_000))
    waiting = page.get_by_role("button", name="3 new events: show")
    expect(waiting).to_be_visible()
    assert rows_on_screen(page) == read
    waiting.click()
    expect(page.locator(".event", has_text="Film 51002")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    write(log, *films(2, first=52_000))
    expect(page.get_by_text("paused, 2 new events")).to_be_visible()
    expect(page.locator(".event", has_text="Film 52001")).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".event", has_text="Film 52001")).to_be_visible()


def test_the_feed_is_filtered_and_conflated_and_its_address_shows_it(page: Page, log: Kafka) -> None:
    again = [
        event(MEDIA_UPDATES, film(60_000, title="Often"), id=f"often-{n}", time="2026-01-15T10:30:00Z")
        for n in range(4)
    ]
    write(log, *again, *films(1, first=60_001))
    sign_in(page)
    open_page(page, "live")
    page.get_by_label("Filter by words").fill("often")
    expect(page.locator(".event")).to_have_count(4)
    page.get_by_label("Only the newest of each item").check()
    expect(page.locator(".event")).to_have_count(1)
    expect(page.locator(".event")).to_contain_text("4 times")
    page.reload()
    expect(page.locator(".event")).to_have_count(1)
    expect(page.get_by_label("Filter by words")).to_have_value("often")


def test_the_catalogue_is_looked_at_again_while_events_come_and_not_too_often(page: Page, log: Kafka) -> None:
    sign_in(page)
    open_page(page, "catalogue")
    expect(page.locator("#search-state")).not_to_have_text("")
    times = "performance.getEntriesByType('resource').filter(e => e.name.includes('media/search')).map(e => e.startTime)"
    deadline = time.monotonic() + WAIT_MS / 1_000
    at: list[float] = page.evaluate(times)
    for n in range(30_000, 31_000):
        write(log, *films(1, first=n))  # each takes less than a second
        at = page.evaluate(times)
        if len(at) >= 4 or time.monotonic() > deadline:
            break
    assert len(at) >= 4, "no search while events come"
    assert all(later - earlier >= 1_900 for earlier, later in pairwise(at[1:]))


def test_it_works_below_a_path_behind_a_proxy_that_loses_the_port(
    browser: Browser, log: Kafka, tables: str, tmp_path: Path
) -> None:
    port = ports.free_port()
    inner = gateway(log, tables, tmp_path, {"PUBLIC_URL": f"http://127.0.0.1:{port}/catalog"})
    inner.start()
    context = browser.new_context(locale="en-US")
    try:
        with behind_proxy(port, inner.url, "/catalog") as url:
            page = context.new_page()
            page.goto(url)
            sign_in(page)
            expect(page.get_by_text("The catalogue is still empty.")).to_be_visible()
            open_page(page, "live")
            write(log, *films(1, first=40_000))
            expect(page.locator(".event", has_text="Film 40000")).to_have_count(1)
    finally:
        context.close()
        inner.kill()
