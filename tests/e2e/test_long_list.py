"""A list of a million rows, drawn by the pages' own part: longer than a browser can draw an element."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.page import CHROMIUM, WAIT_MS, needs_chromium
from tests.support.web_client import WEB, environment, npm_tool

pytestmark = needs_chromium

ROWS = 1_000_000
ROW = 44
SCREEN = 800
STEPS = 60
PIXEL = 1.0
"""Positions are floats of 32 bits in a browser."""
MOVES = 4 * ROWS * ROW // 4_000_000
"""More times than the stretch can move on the way through the list."""

PLACE = """() => {
  const row = [...document.querySelectorAll("[data-row]")].find((row) => row.getBoundingClientRect().bottom > 0);
  return Number(row.dataset.row) * row.offsetHeight - row.getBoundingClientRect().top;
}"""
"""How far into the list the top of the screen is, in pixels, by what is drawn there."""

TWO_FRAMES = "await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);"
SCROLL = """async ([step, times]) => {
  const place = PLACE;
  const places = [place()];
  for (let time = 0; time < times; time += 1) {
    scrollBy(0, step);
    TWO_FRAMES
    places.push(place());
  }
  return places;
}""".replace("PLACE", PLACE).replace("TWO_FRAMES", TWO_FRAMES)
"""Scrolls so many steps; the place before each and after the last."""

BEFORE_A_MOVE = """async (step) => {
  const list = document.querySelector("#list").getBoundingClientRect();
  const near = list.height / 8;
  scrollBy(0, step > 0 ? list.bottom - innerHeight - near - 30 * step : list.top + near - 30 * step);
  TWO_FRAMES
}""".replace("TWO_FRAMES", TWO_FRAMES)
"""30 steps before the place from which on the stretch moves."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document with its script."""
    folder = tmp_path_factory.mktemp("long-list")
    source = WEB / "pages" / "tests" / "long-list"
    subprocess.run(
        [npm_tool("vite"), "build", str(source), "--outDir", str(folder), "--base", "./", "--emptyOutDir"],
        cwd=source, env=environment(), check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, built: Path) -> Iterator[Page]:
    """The list, at its beginning; a script error fails the test."""
    opened = browser.new_page(viewport={"width": 600, "height": SCREEN})
    opened.set_default_timeout(WAIT_MS)
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.route(
        "http://list/**",
        lambda route: route.fulfill(path=built / route.request.url.split("?")[0].split("/", 3)[3]),
    )
    opened.goto("http://list/index.html")
    opened.wait_for_selector("[data-row='0']")
    yield opened
    opened.close()
    assert faults == []


def test_it_is_scrolled_through_to_its_last_row_and_back(page: Page) -> None:
    assert _ends(page, "scrollTo(0, document.documentElement.scrollHeight)", ROWS - 1) == ROWS - 1
    assert page.evaluate(PLACE) == pytest.approx(ROWS * ROW - SCREEN, abs=PIXEL)
    assert _ends(page, "scrollTo(0, 1)", 0) == 0
    assert page.evaluate("document.querySelector('#list').getBoundingClientRect().height") < 5_000_000


def _ends(page: Page, scroll: str, row: int) -> int | None:
    """The row, once it is drawn after scrolling again and again; None if it never is."""
    for _ in range(MOVES):
        page.evaluate(f"async () => {{ {scroll}; {TWO_FRAMES} }}")
        if page.locator(f"[data-row='{row}']").count():
            return row
    return None


@pytest.mark.parametrize("step", [700, -700])
def test_rows_stay_where_they_are_when_the_stretch_moves(page: Page, step: int) -> None:
    page.keyboard.press("End" if step < 0 else "Home")
    for _ in range(2):
        page.evaluate(BEFORE_A_MOVE, step)
        before = page.evaluate("scrollY")
        places = page.evaluate(SCROLL, [step, STEPS])
        assert places == pytest.approx(
            list(range(int(places[0]), int(places[0]) + (STEPS + 1) * step, step)), abs=PIXEL
        )
        assert abs(page.evaluate("scrollY") - before - STEPS * step) > 1_000_000, "it has moved"


def test_home_and_end_reach_the_ends_of_the_list_and_not_of_the_stretch(page: Page) -> None:
    page.keyboard.press("End")
    page.wait_for_selector(f"[data-row='{ROWS - 1}']")
    assert page.evaluate(PLACE) == pytest.approx(ROWS * ROW - SCREEN, abs=PIXEL)
    page.keyboard.press("Home")
    page.wait_for_selector("[data-row='0']")
    assert page.evaluate("scrollY") == 0
    page.get_by_label("A field").fill("in a field they move the cursor")
    page.keyboard.press("End")
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("beyond", [0, 1, 59])
def test_who_waits_at_the_end_gets_the_rows_that_come(page: Page, beyond: int) -> None:
    """Also where the rows known so far end exactly with the stretch, which has no room to grow then."""
    stretch = 2 * (2_000_000 // ROW + 1)
    page.goto(f"http://list/index.html?rows={stretch + beyond}")
    page.wait_for_selector("[data-row='0']")
    page.wait_for_function(
        """(wanted) => {
          scrollTo(0, document.documentElement.scrollHeight);
          return [...document.querySelectorAll("[data-row]")].some((row) => Number(row.dataset.row) >= wanted);
        }""",
        arg=stretch + 300,
        polling=50,
    )


def test_dragged_to_its_top_from_anywhere_it_is_at_its_first_row(page: Page) -> None:
    page.keyboard.press("End")
    page.wait_for_selector(f"[data-row='{ROWS - 1}']")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_selector("[data-row='0']")
    assert page.evaluate("scrollY") == 0
