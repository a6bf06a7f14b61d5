"""A reader of server-sent events that shares nothing with what is tested: written from the standard's own algorithm (WHATWG
HTML, section 9.2.6, "interpreting an event stream") over `httpx`, as an EventSource in a browser does it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

WAIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Event:
    """One that was dispatched."""

    type: str
    data: str
    last_event_id: str


@dataclass(slots=True)
class EventSource:
    """A stream that is read line by line; remembers events, comments and the last id."""

    lines: Iterator[str]
    events: list[Event] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    last_event_id: str = ""
    retry: int | None = None

    def next(self) -> Event | None:
        """The next event; None at the end."""
        type_, id_ = "", self.last_event_id
        data: list[str] = []
        for line in self.lines:
            if not line:
                self.last_event_id = id_
                if data:
                    self.events.append(Event(type_ or "message", "\n".join(data), id_))
                    return self.events[-1]
                type_ = ""
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match name:
                case "":
                    self.comments.append(value)
                case "event":
                    type_ = value
                case "data":
                    data.append(value)
                case "id" if "\0" not in value:
                    id_ = value
                case "retry" if value.isdigit():
                    self.retry = int(value)
        return None

    def until(self, type_: str, *, has: str = "", count: int = 1) -> list[Event]:
        """The events up to the `count`th of a type (that has a text), with it."""
        found: list[Event] = []
        deadline = time.monotonic() + WAIT_SECONDS
        while count:
            event = self.next()
            if event is None or time.monotonic() > deadline:
                raise EOFError(f"not among {len(found)} events, {self.comments}")
            found.append(event)
            count -= event.type == type_ and has in event.data
        return found

    def rest(self) -> list[Event]:
        """Those until it ends."""
        return list(iter(self.next, None))


@contextmanager
def event_source(
    url: str, token: str | None = None, last_event_id: str | None = None, **query: Any
) -> Iterator[EventSource]:
    """Open a stream; raises httpx.HTTPStatusError where it is refused."""
    headers = {"Accept": "text/event-stream"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    with httpx.stream("GET", url, headers=headers, params=query, timeout=WAIT_SECONDS) as answer:
        if answer.status_code != 200:
            answer.read()
            answer.raise_for_status()
        assert answer.headers["content-type"] == "text/event-stream"
        yield EventSource(_lines(answer))


def _lines(answer: httpx.Response) -> Iterator[str]:
    """By LF alone: nothing else ends a line in what this server sends (httpx would also split at U+2028)."""
    rest = b""
    for chunk in answer.iter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode() for line in lines)
