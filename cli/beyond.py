"""What a place names and the log has not, in words: never passed over in silence.

An error where it cannot come, a note on standard error where it is waited for or has gone.
"""

from __future__ import annotations

from cli.errors import BadArgument
from runtime.log_reading import LogBounds, number
from schemas.places import At, AtTime, OutOfRange, Place, out_of_range
from schemas.times import iso


def notes_of_start(
    place: Place, argument: str, topic: str, within: LogBounds, *, follow: bool | None = None
) -> list[str]:
    """What is to be said of a place to begin at. Raises BadArgument where it names what is not there and cannot
    come. `follow`: what is not there yet is waited for; None: the command cannot."""
    beyond, gone = _beyond(place, argument, topic, within), _of("gone", place, within)
    if beyond and not follow:
        hint = "" if follow is None else "; --follow waits for it"
        raise BadArgument(argument, _ended(topic, beyond) + hint)
    notes = [f"waiting for {f.wanted} of {topic}:{f.partition}, which ends at {f.limit}" for f in beyond]
    return notes + [f"{topic}:{f.partition} begins at {f.limit}: {f.wanted} and on are gone" for f in gone]


def notes_of_end(place: Place, argument: str, topic: str, within: LogBounds) -> list[str]:
    """What is to be said of a place to end at: what is beyond the end of the log is not waited for. Raises
    BadArgument for a partition that is not there."""
    beyond = _beyond(place, argument, topic, within)
    return [f"{argument}: {_ended(topic, beyond)}; it ends there"] if beyond else []


def note_of_time(place: AtTime, topic: str, *, follow: bool) -> str:
    """What is to be said of a time for which the log has no record yet."""
    what = f"appended to {topic} at {iso(place.at)} or later"
    return f"waiting for the first record {what}" if follow else f"nothing was {what}"


def _of(kind: str, place: Place, within: LogBounds) -> list[OutOfRange]:
    return [unmet for unmet in out_of_range(place, within, number) if unmet.kind == kind]


def _beyond(place: Place, argument: str, topic: str, within: LogBounds) -> list[OutOfRange]:
    """What lies beyond the end; one offset meant for all partitions only where it does so in each. Raises
    BadArgument for a partition that is not there."""
    for unmet in _of("absent", place, within):
        numbers = ", ".join(str(number(p)) for p in within.end)
        raise BadArgument(argument, f"{topic} has no partition {unmet.partition} (read are: {numbers})")
    beyond = _of("beyond", place, within)
    return [] if isinstance(place, At) and len(beyond) < len(within.end) else beyond


def _ended(topic: str, beyond: list[OutOfRange]) -> str:
    return ", ".join(f"{topic}:{f.partition} ends at {f.limit}, before {f.wanted}" for f in beyond)
