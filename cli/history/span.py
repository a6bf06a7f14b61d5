"""From when to when: a place in the log, or so long ago. Pure."""

from __future__ import annotations

from cli.errors import BadArgument
from cli.places import parse_duration, parse_place
from schemas.places import AtTime, Last, Place
from schemas.times import Millis


def parse_since(text: str, argument: str, now: Millis) -> Place:
    """Read a place, or an ISO 8601 duration before `now`. Raises BadArgument."""
    if text.startswith("P"):
        ago = parse_duration(text, argument)
        return AtTime(Millis(max(0, now - int(ago.total_seconds() * 1000))))
    place = parse_place(text, argument)
    if isinstance(place, Last):
        raise BadArgument(argument, "last:N is no place here: a time, a duration such as PT2H, or another place")
    return place
