"""Places as arguments of commands: parsed by `schemas.place_forms`, rejected as bad arguments. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

from cli.errors import BadArgument
from schemas.errors import BadPlace
from schemas.place_forms import parse, parse_time
from schemas.places import Place
from schemas.times import Millis


def parse_place(text: str, argument: str = "--from") -> Place:
    """Read a place. Raises BadArgument, naming what may be written."""
    try:
        return parse(text)
    except BadPlace as error:
        raise BadArgument(argument, str(error)) from error


def parse_moment(text: str, argument: str) -> Millis:
    """Read a time (ISO 8601). Raises BadArgument."""
    try:
        return parse_time(text)
    except BadPlace as error:
        raise BadArgument(argument, f"{text!r} is no ISO 8601 time from 1970 on") from error


_NUMBER = r"(\d+(?:\.\d+)?)"
_DURATION = re.compile(rf"P(?:{_NUMBER}D)?(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?", re.ASCII)


def parse_duration(text: str, argument: str) -> timedelta:
    """Read an ISO 8601 duration as Kafka's own tool does: `P1DT2H30M`, `PT90S`. Raises BadArgument."""
    parts = _DURATION.fullmatch(text)
    if parts is None or not any(parts.groups()):
        raise BadArgument(argument, f"{text!r} is no ISO 8601 duration such as PT2H30M or P1D")
    days, hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
