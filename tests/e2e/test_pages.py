"""The pages of a catalogue that has something in it, in a real browser: found, looked through, gone back to; what was done
to a file; what is wrong; what an operator and an administrator do; by ear, in the dark, on a phone, in German.

Needs Chromium; where there is none every test here says so and is skipped.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from playwright.sync_api import Page, expect

from runtime.kafka import Kafka
from schemas.topics import RAW, REPORTS
from tests.support.gateway import PASSWORD, Gateway
from tests.support.gateway_fixtures import log, server, tables, token
from tests.support.letters import bury
from tests.support.page import ALL, apart, browser, needs_chromium, open_page, page, scroll, sign_in
from tests.support.page_world import fill
from tests.support.topic import NewRecord, read, write
from tests.support.web_client import WEB

__all__ = ["browser", "log", "page", "server", "tables", "token"]

pytestmark = needs_chromium

ITEMS = 2_000
AXE = (WEB / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="module", autouse=True)
def filled(tables: str) -> str:
    """With items, covers, roots and history."""
    fill(tables, ITEMS)
    return tables


def test_the_catalogue_is_there_within_a_second_with_a_cold_cache(page: Page, server: Gateway) -> None:
    sign_in(page)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    page.goto("about:blank")
    page.goto(f"{server.url}/#/catalogue?view=grid")
    expect(page.locator(".poster img").first).to_have_js_property("complete", True)
    took = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert took < 1_000
    assert 20 < page.locator(".poster").count() < 100, "posters that are not on the screen are not in the document"
    loaded = page.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.name.includes('/covers/')).length"
    )
    assert 0 < loaded <= 12, "each cover once"


def test_words_and_facets_narrow_while_they_are_chosen_and_the_address_shows_it(page: Page) -> None:
    sign_in(page)
    open_page(page, "catalogue?view=grid")
    state = page.locator("#search-state")
    expect(state).to_have_text("2,000 items")
    page.get_by_label("Search the catalogue").press_sequentially("stalk")
    expect(state).to_have_text("166 items")
    page.get_by_role("group", name="Kind").get_by_role("button", name="Film").click()
    expect(state).to_have_text("33 items")
    page.get_by_label("Sorted by").select_option("title, A to Z")
    expect(page.locator(".poster .subject").first).to_have_text("Stalker 1020")
    assert re.search(r"#/catalogue\?.*query=stalk", page.url)
    page.reload()
    expect(page.locator("#search-state")).to_have_text("33 items")
    expect(page.locator(".poster .subject").first).to_have_text("Stalker 1020")
    page.get_by_role("button", name="Remove the filter Kind").click()
    expect(state).to_have_text("166 items")
    page.get_by_label("Search the catalogue").fill("nothing is called so")
    expect(page.get_by_text("Remove a word or a filter.")).to_be_visible()


def test_all_of_it_can_be_scrolled_through_and_gone_back_to(page: Page) -> None:
    sign_in(page)
    open_page(page, "catalogue?view=table&sort=created")
    expect(page.locator("#search-state")).to_have_text("2,000 items")
    seen: set[str] = set()
    for _ in range(400):
        seen |= set(page.locator(".row .subject").all_text_contents())
        if len(seen) == ITEMS:
            break
        scroll(page)
        expect(page.locator(".row.coming")).to_have_count(0)
    assert len(seen) == ITEMS
    assert page.locator(".row").count() < 100
    scroll(page, to=40_000)
    row = page.locator(".row .subject", has_text=" 915")
    expect(row).to_be_visible()
    title, at = row.text_content(), page.evaluate("scrollY")
    row.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title or "")
    page.go_back()
    expect(row).to_be_visible()
    assert page.evaluate("scrollY") == at


def test_an_item_shows_what_is_known_and_where_its_file_has_been(page: Page) -> None:
    sign_in(page)
    open_page(page, "item/1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Solaris 1")
    for words in (
        "the last 3 seconds could not be read",
        "English · Commentary · ac3 · 6 channels · commentary",
        "2:41:00",
    ):
        expect(page.get_by_text(words)).to_be_visible()
    expect(page.locator(".changes li b")).to_have_text(["changed", "moved", "appeared"])
    expect(page.locator(".changes li").nth(1)).to_contain_text("movies/films/Stalker.mkv")
    expect(page.locator(".changes li").nth(1)).to_contain_text("from movies/inbox/stalker.mkv")
    expect(page.get_by_role("img", name="Cover of Solaris 1")).to_be_visible()


def test_where_a_file_went_is_found_by_its_old_path_and_of_what_is_gone_the_history_stays(page: Page) -> None:
    sign_in(page)
    open_page(page, "history")
    page.get_by_label("Path of a file, where it is or was").fill("inbox/stalker.mkv")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".changes li b")).to_have_text(["moved", "appeared"])
    open_page(page, "item/900001")
    expect(page.get_by_role("heading", level=1)).to_have_text("This item is no longer in the catalogue.")
    expect(page.locator(".changes li")).to_contain_text("was deleted movies/films/Gone.mkv")


def test_home_shows_what_is_wrong_and_what_is_new(page: Page) -> None:
    sign_in(page)
    expect(page.locator(".problem")).to_contain_text("nas cannot be reached")
    expect(page.locator(".shelf .subject").first).to_have_text("Solaris 1")
    expect(page.get_by_text("2,000 in the catalogue")).to_be_visible()


def test_an_operator_requests_scans_and_analyses_and_a_viewer_is_not_offered_them(
    page: Page, server: Gateway, token: str
) -> None:
    with server.http(token) as http:
        made = http.post("/api/v1/users", json={"username": "vera", "password": PASSWORD})
        assert made.status_code == 201
    sign_in(page)
    open_page(page, "libraries")
    expect(page.get_by_text("170 of 400")).to_be_visible()
    page.get_by_role("button", name="Scan again").first.click()
    page.get_by_role("dialog").get_by_label("Folder in it; empty: all").fill("films")
    page.get_by_role("dialog").get_by_role("button", name="Scan again").click()
    expect(page.locator(".toast")).to_have_text("A scan of movies is requested.")
    page.get_by_role("button", name="Analyse again").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Book").check()
    dialog.get_by_role("button", name="Count first").click()
    expect(dialog.get_by_text("400 items match.")).to_be_visible()
    dialog.get_by_role("button", name="Analyse them").click()
    expect(page.locator(".toast").last).to_have_text("The analysis of 400 items is requested.")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "vera")
    open_page(page, "libraries")
    expect(page.get_by_text("movies").first).to_be_visible()
    expect(page.get_by_role("button", name="Scan again")).to_have_count(0)
    open_page(page, "item/1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Solaris 1")
    expect(page.get_by_role("button", name="Correct")).to_have_count(0)


def test_an_administrator_adds_changes_and_disables_accounts_and_issues_tokens(
    page: Page, server: Gateway
) -> None:
    sign_in(page)
    open_page(page, "admin")
    page.get_by_role("button", name="Add a user").click()
    page.get_by_label("User name").fill("noor")
    page.get_by_label("Password, at least 8 characters").fill(PASSWORD)
    page.get_by_label("Storage roots").fill("movies")
    page.get_by_role("dialog").get_by_role("button", name="Add a user").click()
    line = page.locator("li", has_text="noor")
    expect(line).to_contain_text("May see movies")
    server.sign_in("noor")
    page.get_by_role("button", name="Change: noor").click()
    page.get_by_label("Role").select_option("Operator")
    page.get_by_role("button", name="Save").click()
    expect(line).to_contain_text("Operator")
    line.get_by_role("button", name="Disable").click()
    expect(line).to_contain_text("disabled")
    page.get_by_role("button", name="Issue a token").click()
    page.get_by_label("User name").fill("probe")
    page.get_by_role("dialog").get_by_role("button", name="Issue a token").click()
    issued = page.get_by_label("This token is shown only once. Copy it now:").input_value()
    with server.http(issued) as http:
        assert http.get("/api/v1/auth/profile").json()["username"] == "token:probe"
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_label("Title").fill("Tonight")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".toast", has_text="Tonight")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1200, "dark")])
def test_every_page_can_be_read_by_everybody(page: Page, width: int, scheme: Literal["light", "dark"]) -> None:
    """No rule of WCAG 2.2 AA that a program can check is broken, and nothing goes beyond the edge."""
    page.set_viewport_size({"width": width, "height": 760})
    page.emulate_media(color_scheme=scheme)
    assert faults(page) == [], "sign in"
    sign_in(page)
    for address in ALL:
        open_page(page, address)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_text("Loading…")).to_have_count(0)
        assert faults(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, (
            address
        )


def faults(page: Page) -> list[str]:
    page.evaluate(f"window.axe ?? (() => {{ {AXE} }})()")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("tags => axe.run({runOnly: tags}).then(result => result.violations)", tags)
    return [f"{one['id']}: {json.dumps([node['html'] for node in one['nodes']])[:300]}" for one in found]


def test_a_dead_letter_is_looked_at_and_seen_to(page: Page, log: Kafka) -> None:
    def bury_one() -> None:
        write(log, NewRecord(REPORTS, b"no report", key=b"home"))
        bury(log, read(log, REPORTS)[-1], error="not JSON")

    apart(bury_one)
    sign_in(page)
    open_page(page, "health")
    card = page.locator("section", has=page.get_by_role("heading", name="Dead letters"))
    card.get_by_role("button", name="Show").click()
    card.get_by_role("button", name="Look").click()
    expect(page.get_by_label("The record")).to_have_value("no report")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    card.get_by_role("button", name="Mark as seen to").click()
    expect(page.locator(".toast")).to_have_text("The letter is marked as seen to.")
    expect(card.get_by_text("There are none.")).to_be_visible(timeout=30_000)


def test_a_root_that_nobody_watches_is_taken_out(page: Page, filled: str, log: Kafka) -> None:
    with psycopg.connect(filled) as connection:
        statement = "UPDATE storage_roots SET details = '{\"mode\": \"unwatched\"}' WHERE root = 'nas'"
        connection.execute(statement)
    sign_in(page)
    open_page(page, "libraries")
    watched = page.locator("li", has=page.locator("bdi", has_text="movies")).first
    expect(watched.get_by_role("button", name="Scan again")).to_be_visible()
    assert watched.get_by_role("button", name="Take out").count() == 0
    page.get_by_role("button", name="Take out").click()
    expect(page.get_by_role("dialog")).to_contain_text("the files stay where they are")
    page.get_by_role("dialog").get_by_role("button", name="Take out").click()
    expect(page.locator(".toast")).to_have_text("nas leaves the catalogue.")
    (record,) = [r for r in apart(read, log, RAW) if b"root_retired" in (r.value or b"")]
    assert (record.key, json.loads(record.value or b"")["root"]) == (b"home", "nas")


def test_the_audit_log_shows_who_did_what(page: Page) -> None:
    sign_in(page)
    open_page(page, "admin")
    card = page.locator("section", has=page.get_by_role("heading", name="Audit log"))
    expect(card.locator("li").first).to_be_visible()
    expect(card.locator("li", has_text="admin").first).to_be_visible()


def test_german_is_chosen_and_kept(page: Page) -> None:
    sign_in(page)
    open_page(page, "account")
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", level=1)).to_have_text("Konto")
    page.reload()
    expect(page.get_by_role("link", name="Bibliotheken")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "de"


def test_an_unreachable_server_is_reported_and_what_was_shown_stays(page: Page) -> None:
    sign_in(page)
    open_page(page, "catalogue?view=grid")
    expect(page.locator("#search-state")).to_have_text("2,000 items")
    page.context.set_offline(True)
    open_page(page, "history")
    expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
    open_page(page, "catalogue?view=grid")
    expect(page.locator(".poster .subject").first).to_have_text("Solaris 1")
    page.context.set_offline(False)
    open_page(page, "history")
    expect(page.locator(".changes li").first).to_be_visible()


def test_no_address_has_a_token_and_no_other_host_is_contacted(page: Page, server: Gateway) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("websocket", lambda socket: requested.append(socket.url))
    sign_in(page)
    for address in ALL:
        open_page(page, address)
        page.get_by_role("main").wait_for()
    held = page.evaluate("JSON.parse(localStorage.getItem('catalogizer.session'))")
    hosts = {re.sub(r"^(?:http|ws)://", "", url).split("/")[0] for url in requested}
    assert hosts == {server.url.removeprefix("http://")}
    assert not [url for url in requested if held["token"] in url or held["refresh"] in url or "token=" in url]
    assert page.context.cookies() == []


def test_a_title_s_direction_is_its_own(page: Page, filled: str) -> None:
    with psycopg.connect(filled) as connection:
        title = connection.execute("SELECT title FROM media_items WHERE id = 7").fetchone()
    assert title is not None
    sign_in(page)
    open_page(page, "item/7")
    heading = page.get_by_role("heading", level=1).locator("bdi")
    expect(heading).to_have_text(str(title[0]))
    assert page.evaluate("getComputedStyle(document.querySelector('h1 bdi')).unicodeBidi") == "isolate"


def test_the_first_page_is_small() -> None:
    import gzip

    files = [path for path in Path(WEB / "built").iterdir() if path.suffix in {".js", ".css", ".html"}]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= 200_000
