"""The programs of the plain watchers: each keeps every event in a list, and does nothing else.

`python -m bench.watching.plain NAME ROOT FILE`: prints a line when it watches, answers each line with the number of events,
and at the end of its input writes them to FILE as MessagePack: pairs of report and path."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.watching.judging import Reported

Events = list[tuple[Reported, bytes]]


def watch_with_watchdog(root: Path, events: Events) -> Callable[[], None]:
    """All events of a recursive observer, as they come."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    class Keep(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            gone = event.event_type in ("deleted", "moved")
            events.append(("gone" if gone else "there", os.fsencode(event.src_path)))
            if event.event_type == "moved":
                events.append(("there", os.fsencode(event.dest_path)))

    observer = Observer()
    observer.schedule(Keep(), str(root), recursive=True)
    observer.start()
    return observer.stop


def watch_with_watchfiles(root: Path, events: Events) -> Callable[[], None]:
    """All changes, with no filter. Those of one batch have no order."""
    from watchfiles import Change, watch

    begun, stop = threading.Event(), threading.Event()

    def follow() -> None:
        for changes in watch(
            root, watch_filter=None, stop_event=stop, yield_on_timeout=True, rust_timeout=200,
            raise_interrupt=False,
        ):  # fmt: skip
            begun.set()
            reported: dict[str, Reported] = {}
            for change, path in changes:
                now: Reported = "gone" if change is Change.deleted else "there"
                reported[path] = now if reported.get(path, now) == now else "either"
            events.extend((what, os.fsencode(path)) for path, what in reported.items())

    threading.Thread(target=follow, daemon=True).start()
    begun.wait()
    return stop.set


PROGRAMS = {"watchdog": watch_with_watchdog, "watchfiles": watch_with_watchfiles}


def main() -> None:
    """See above."""
    name, root, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    events: Events = []
    stop = PROGRAMS[name](root, events)
    print("watching", flush=True)
    for _ in sys.stdin:
        print(len(events), flush=True)
    stop()
    start = len(os.fsencode(root)) + 1
    kept = [(reported, path[start:]) for reported, path in list(events) if len(path) >= start]
    target.write_bytes(msgspec.msgpack.encode(kept))
    os._exit(0)  # an observer that is behind with its events would continue


if __name__ == "__main__":
    main()
