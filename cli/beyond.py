"""Messages about places that are not in the log: they are never silently ignored.

It is an error if the records can never come, and a note on standard error if they are waited for or were deleted.
"""

from __future__ import annotations

from cli.errors import BadArgument
from runtime.log_reading import LogBounds, number
from schemas.places import At, AtTime, OutOfRange, Place, out_of_range
from schemas.times import iso


def notes_of_start(
    place: Place, argument: str, topic: str, within: LogBounds, *, follow: bool | None = None
) -> list[str]:
    """Notes about a place to begin at. Raises BadArgument if its records do not exist and can never come. `follow`: wait
    for records that do not exist yet; None: the command cannot wait."""
    beyond, gone = _beyond(place, argument, topic, within), _of("gone", place, within)
    if beyond and not follow:
        hint = "" if follow is None else "; --follow waits for it"
        raise BadArgument(argument, _ended(topic, beyond) + hint)
    notes = [f"waiting for {f.wanted} of {topic}:{f.partition}, which ends at {f.limit}" for f in beyond]
    return notes + [f"{topic}:{f.partition} begins at {f.limit}: {f.wanted} and on are gone" for f in gone]


def notes_of_end(place: Place, argument: str, topic: str, within: LogBounds) -> list[str]:
    """Notes about a place to end at: records beyond the end of the log are not waited for. Raises BadArgument for a
    partition that does not exist."""
    beyond = _beyond(place, argument, topic, within)
    return [f"{argument}: {_ended(topic, beyond)}; it ends there"] if beyond else []


def note_of_time(place: AtTime, topic: str, *, follow: bool) -> str:
    """The note about a time for which the log has no record yet."""
    what = f"appended to {topic} at {iso(place.at)} or later"
    return f"waiting for the first record {what}" if follow else f"nothing was {what}"


def _of(kind: str, place: Place, within: LogBounds) -> list[OutOfRange]:
    return [unmet for unmet in out_of_range(place, within, number) if unmet.kind == kind]


def _beyond(place: Place, argument: str, topic: str, within: LogBounds) -> list[OutOfRange]:
    """What lies beyond the end. One offset for all partitions counts only if it is beyond the end of each. Raises
    BadArgument for a partition that does not exist."""
    for unmet in _of("absent", place, within):
        numbers = ", ".join(str(number(p)) for p in within.end)
        raise BadArgument(argument, f"{topic} has no partition {unmet.partition} (read are: {numbers})")
    beyond = _of("beyond", place, within)
    return [] if isinstance(place, At) and len(beyond) < len(within.end) else beyond


def _ended(topic: str, beyond: list[OutOfRange]) -> str:
    return ", ".join(f"{topic}:{f.partition} ends at {f.limit}, before {f.wanted}" for f in beyond)
