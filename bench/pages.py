"""What a browser can take: the catalogue open while files are imported, and the live page while hours of events pass.

`python -m bench.pages import [FILES]`: a platform, and Chromium with the catalogue open, while FILES (10,000) are written as
fast as the disk takes them; the greatest age of what the page shows, frames a second, toasts at once, memory of the page.
`python -m bench.pages hours [EVENTS]`: EVENTS (28,800: one a second for eight hours) as fast as they are accepted, on the
live page; its memory by tenths.
`python -m bench.pages scroll [ITEMS]`: a catalogue of ITEMS (1,000,000), scrolled through 400 screens as fast as the page
draws them, back to its beginning, and narrowed while a word is typed; frames a second, and how long a screen is incomplete.
`python -m bench.pages through [ITEMS]`: the same catalogue, read to its last row (1,000,000: a quarter of an hour), and gone
back to.
Baseline in the same run: the same page before anything happens. Needs Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from bench.platform import known
from bench.search import settled
from bench.support import show
from tests.support.events import films
from tests.support.page import CHROMIUM, open_page, sign_in
from tests.support.page_world import fill
from tests.support.platform import Platform
from tests.support.topic import pour

PER_DIRECTORY = 100
SAMPLE_MS = 250
SETTLE_SECONDS = 5.0
LONGEST_SECONDS = 900.0
SCREENS = 400
SCROLL = """async (screens) => {
  const frame = () => new Promise(requestAnimationFrame);
  const waits = [];
  for (let screen = 0; screen < screens; screen += 1) {
    const began = performance.now();
    scrollBy(0, innerHeight);
    await frame();
    await frame();
    while (document.querySelector(".row.coming") && performance.now() - began < 20_000) {
      await frame();
    }
    waits.push(performance.now() - began);
  }
  return waits;
}"""
"""How long it takes until each screen is whole, in ms; two frames at least."""
THROUGH = """async ([last, milliseconds]) => {
  const began = performance.now();
  const rows = () => [...document.querySelectorAll(".row[aria-rowindex]")];
  let reached = 0;  // at times only places are on the screen whose rows are still to come
  while (reached < last && performance.now() - began < milliseconds) {
    scrollTo(0, document.documentElement.scrollHeight);
    await new Promise(requestAnimationFrame);
    reached = Math.max(reached, ...rows().map((row) => Number(row.ariaRowIndex)));
  }
  return reached;
}"""
"""Scrolls to the end of what is known, which is read on meanwhile, for so long or until the last row; the row reached."""
TYPE = """async (word) => {
  const field = document.querySelector("input[type=search]");
  const state = document.querySelector("#search-state");
  const before = state.textContent;
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  for (let end = 1; end <= word.length; end += 1) {
    set.call(field, word.slice(0, end));
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 60));
  }
  const began = performance.now();
  while (state.textContent === before && performance.now() - began < 20_000) {
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - began;
}"""
WATCH = """(sampleMs) => {
  const seen = window.seen = { frames: [], shown: [], toasts: 0, long: 0 };
  const frame = (at) => { seen.frames.push(at); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => { seen.long += list.getEntries().length; }).observe({ entryTypes: ["longtask"] });
  setInterval(() => {
    const words = document.querySelector("#search-state")?.textContent ?? "";
    seen.shown.push([Date.now(), Number(words.replace(/[^0-9]/g, "") || 0)]);
    seen.toasts = Math.max(seen.toasts, document.querySelectorAll(".toast").length);
  }, sampleMs);
}"""


def main() -> int:
    """Run one of them."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("what", choices=["import", "hours", "scroll", "through"])
    parser.add_argument("count", nargs="?", type=int, default=None)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if CHROMIUM is None:
        print("no Chromium on this machine: nothing was measured", file=sys.stderr)
        return 1
    if given.what == "import":
        importing(given.count or 10_000)
    elif given.what == "scroll":
        scrolling(given.count or 1_000_000)
    elif given.what == "through":
        reading_through(given.count or 1_000_000)
    else:
        hours(given.count or 28_800)
    return 0


@contextmanager
def looking(address: str, root: Path, folder: Path) -> Iterator[tuple[Platform, Page, CDPSession]]:
    """A platform over `root` and one of its pages, signed in."""
    platform = Platform(folder, {"films": root})
    try:
        platform.start()
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
            page.goto(platform.run["url"])
            sign_in(page)
            open_page(page, address)
            yield platform, page, page.context.new_cdp_session(page)
            browser.close()
    finally:
        platform.stop()
        platform.end()


def importing(count: int) -> None:
    """Files come while the catalogue is open."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as made:
        root = Path(made) / "films"
        root.mkdir()
        with looking("catalogue?view=grid", root, Path(made)) as (platform, page, session):
            page.evaluate(WATCH, SAMPLE_MS)
            page.wait_for_timeout(SETTLE_SECONDS * 1_000)
            idle, heap = frames(page.evaluate("window.seen.frames")), memory(session)
            page.evaluate("() => { window.seen.frames.length = 0 }")
            there: list[tuple[float, int]] = []
            began = time.time()
            writing = threading.Thread(target=_write_files, args=(root, count))
            writing.start()
            while (not there or there[-1][1] < count) and time.time() < began + LONGEST_SECONDS:
                there.append((time.time(), known(platform)))
                page.wait_for_timeout(SAMPLE_MS)
            writing.join()
            page.wait_for_timeout(SETTLE_SECONDS * 2_000)
            seen: dict[str, Any] = page.evaluate("window.seen")
            after = memory(session)
    ages = list(how_old(there, [(at / 1_000, shown) for at, shown in seen["shown"]]))
    rates = frames(seen["frames"])
    took = there[-1][0] - began
    figures = {
        "files": count, "in_catalogue": there[-1][1], "seconds": took, "oldest_seconds": max(ages),
        "median_age_seconds": median(ages), "frames_idle": median(idle), "frames_median": median(rates),
        "frames_least": min(rates), "long_tasks": seen["long"], "toasts_at_once": seen["toasts"],
        "heap_before_mb": heap, "heap_after_mb": after,
    }  # fmt: skip
    rows = [
        (f"{count:,} files in the catalogue", f"{took:.0f} s ({count / took:,.0f} a second)"),
        ("the page is behind the database: median, at most", f"{median(ages):.1f} s, {max(ages):.1f} s"),
        ("frames a second: idle, median, least", f"{median(idle):.0f}, {median(rates):.0f}, {min(rates):.0f}"),
        ("toasts at once; tasks over 50 ms", f"{seen['toasts']}; {seen['long']}"),
        ("memory of the page: before, after", f"{heap:.1f} MB, {after:.1f} MB"),
    ]
    show("catalogue open during an import", rows, figures)


def scrolling(count: int) -> None:
    """A large catalogue is looked through."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as made:
        root = Path(made) / "films"
        root.mkdir()
        with looking("health", root, Path(made)) as (platform, page, session):
            began = time.monotonic()
            fill(platform.run["database_url"], count)
            settled(platform.run["database_url"])
            filled = time.monotonic() - began
            heap = memory(session)
            began = time.monotonic()
            open_page(page, "catalogue?view=table&sort=title")
            whole = "() => document.querySelector('.row .subject') && !document.querySelector('.row.coming')"
            page.wait_for_function(whole, timeout=60_000)
            first = 1_000 * (time.monotonic() - began)
            page.evaluate(WATCH, SAMPLE_MS)
            page.wait_for_timeout(SETTLE_SECONDS * 1_000)
            idle = frames(page.evaluate("window.seen.frames"))
            page.evaluate("() => { window.seen.frames.length = 0; window.seen.long = 0 }")
            waits: list[float] = page.evaluate(SCROLL, SCREENS)
            seen: dict[str, Any] = page.evaluate("window.seen")
            last = int(page.locator(".row[aria-rowindex]").last.get_attribute("aria-rowindex") or 0)
            after = memory(session)
            page.evaluate("scrollTo(0, 0)")
            page.wait_for_function(whole, timeout=60_000)
            typed = page.evaluate(TYPE, "stalker")
    rates = frames(seen["frames"])
    figures = {
        "items": count, "fill_seconds": filled, "first_rows_ms": first, "screens": len(waits), "last_row": last,
        "screen_median_ms": median(waits), "screen_most_ms": max(waits), "frames_idle": median(idle),
        "frames_median": median(rates), "frames_least": min(rates), "long_tasks": seen["long"], "typed_ms": typed,
        "heap_before_mb": heap, "heap_after_mb": after,
    }  # fmt: skip
    rows = [
        (f"first rows of {count:,} items", f"{first:.0f} ms"),
        (f"{len(waits)} screens, to row {last:,}: a screen is whole after (median, most)",
         f"{median(waits):.0f} ms, {max(waits):.0f} ms"),
        ("frames a second: idle, median, least", f"{median(idle):.0f}, {median(rates):.0f}, {min(rates):.0f}"),
        ("tasks over 50 ms", str(seen["long"])),
        ("after the last key of a word its result is there", f"{typed:.0f} ms"),
        ("memory of the page: before, after", f"{heap:.1f} MB, {after:.1f} MB"),
    ]  # fmt: skip
    show("a large catalogue is looked through", rows, figures)


def reading_through(count: int) -> None:
    """A large catalogue is read to its end."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as made:
        root = Path(made) / "films"
        root.mkdir()
        with looking("health", root, Path(made)) as (platform, page, session):
            fill(platform.run["database_url"], count)
            settled(platform.run["database_url"])
            heap = memory(session)
            open_page(page, "catalogue?view=table&sort=title")
            page.wait_for_selector(".row .subject")
            began, reached = time.monotonic(), 0
            while reached < count + 1:  # the head is the first row
                before, reached = reached, page.evaluate(THROUGH, [count + 1, 20_000])
                print(f"row {reached:,}, {memory(session):.1f} MB", file=sys.stderr)
                if reached <= before:
                    shown = page.locator(".results").inner_text()[:500]
                    raise TimeoutError(f"nothing was drawn after row {reached:,} of {count:,} for 20 s: {shown}")
            took, after = time.monotonic() - began, memory(session)
            title = page.locator(".row .subject").last.inner_text()
            page.locator(".row a").last.click()
            page.wait_for_selector("main h1:not(.unseen)")
            page.go_back()
            page.wait_for_selector(f".row[aria-rowindex='{count + 1}'] .subject")
            again = page.locator(".row .subject").last.inner_text()
    figures = {
        "items": count,
        "seconds": took,
        "heap_before_mb": heap,
        "heap_after_mb": after,
        "back": title == again,
    }
    rows = [
        (f"{count:,} rows read and drawn to the last one", f"{took:.0f} s, {count / took:,.0f} a second"),
        ("the last row, and after a look at its item and back", f"{title} / {again}"),
        ("memory of the page: before, after", f"{heap:.1f} MB, {after:.1f} MB"),
    ]
    show("a large catalogue is read to its end", rows, figures)


def hours(count: int) -> None:
    """Events come while the live page is open."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as made:
        root = Path(made) / "films"
        root.mkdir()
        with looking("live", root, Path(made)) as (platform, page, session):
            page.wait_for_timeout(SETTLE_SECONDS * 1_000)
            heaps, kafka = [memory(session)], _kafka(platform)
            began = time.monotonic()
            for tenth in range(10):
                first = tenth * count // 10
                records = films((tenth + 1) * count // 10 - first, first=first)
                writing = threading.Thread(
                    target=pour, args=(kafka, records)
                )  # Playwright has an event loop in this one
                writing.start()
                while writing.is_alive():
                    page.wait_for_timeout(SAMPLE_MS)
                page.wait_for_timeout(SETTLE_SECONDS * 1_000)
                heaps.append(memory(session))
            took = time.monotonic() - began
            rows_shown = page.locator(".event").count()
    figures = {"events": count, "seconds": took, "rows": rows_shown} | {
        f"heap_{tenth}_mb": heap for tenth, heap in enumerate(heaps)
    }
    rows = [
        (f"{count:,} events", f"{took:.0f} s"),
        ("lines in the document at the end", str(rows_shown)),
        ("memory of the page by tenths", ", ".join(f"{heap:.1f}" for heap in heaps) + " MB"),
    ]
    show("eight hours of events on the live page", rows, figures)


def how_old(there: list[tuple[float, int]], shown: list[tuple[float, int]]) -> Iterator[float]:
    """For each moment at which the database had so many: seconds until the page showed as many. A number that it never
    showed counts with the longest duration of a run."""
    at = 0
    for moment, count in there:
        while at < len(shown) - 1 and shown[at][1] < count:
            at += 1
        yield max(0.0, (shown[at][0] if shown[at][1] >= count else shown[-1][0] + LONGEST_SECONDS) - moment)


def frames(times: list[float]) -> list[int]:
    """Frames in each whole second; `times` in milliseconds."""
    if len(times) < 2:
        return [0]
    counts = [0] * max(1, int((times[-1] - times[0]) / 1_000))
    for at in times:
        second = int((at - times[0]) / 1_000)
        if second < len(counts):
            counts[second] += 1
    return counts


def memory(session: CDPSession) -> float:
    """What the page's scripts keep, in MB, after a collection."""
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def _write_files(root: Path, count: int) -> None:
    for number in range(count):
        if number % PER_DIRECTORY == 0:
            (root / f"folder {number // PER_DIRECTORY}").mkdir()
        (root / f"folder {number // PER_DIRECTORY}" / f"Some Title {number}.txt").write_bytes(b"%d" % number * 20)


def _kafka(platform: Platform) -> Any:
    from runtime.kafka import Kafka

    return Kafka(platform.brokers, "bench")


if __name__ == "__main__":
    sys.exit(main())
