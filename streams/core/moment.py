"""When something is decided, and with which record of the log: passed to every stage."""

from __future__ import annotations

from msgspec import Struct


class Moment(Struct, frozen=True, gc=False):
    """`now`: lane time at which it is decided (a deadline, or the record's); `at`: append time of the record being
    applied, milliseconds since 1970; `offset` and `trace`: that record's."""

    now: int
    at: int
    offset: int
    trace: bytes | None
