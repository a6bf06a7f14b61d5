"""The roots of an installation: those that the settings here name, and those that producers report.

A root's line comes from its newest report; without a recent report, from the last published update about it. A retired root
is left out."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

from msgspec import UNSET, Struct, structs

from cli.errors import BadArgument
from producer.settings import RootSpec
from runtime.kafka import Kafka
from runtime.log_reading import bounds, partitions_of, reader, resolve, stretch
from schemas.codec import Codec
from schemas.errors import SchemaError
from schemas.log_record import LogRecord
from schemas.places import AtTime
from schemas.system import (
    SCAN,
    SCAN_DONE,
    SCAN_EXPECTED,
    WATCH,
    WATCH_WHY,
    Report,
    RootReport,
    Scalar,
    ScanReport,
)
from schemas.times import Millis, iso
from schemas.topics import REPORTS
from streams.status.publishing import GAPS_SUFFIX, LatestUpdate, read_states

LATELY_MS = 15_000
"""Three report intervals: without a report for so long, no producer reports the root."""

_reports: Codec[Report] = Codec(Report)


class RootLine(Struct, frozen=True):
    """One root. `state`: watching, scanning, paused, offline; silent if it is not reported now, unknown if it never was.
    `configured`: declared here; `reported_at`: of the last report, ISO 8601; `watch`, `watch_why`: the watch mechanism and
    why it was chosen, if the root is reported now."""

    name: str
    library: str | None
    path: str | None
    protocol: str | None
    state: str
    message: str
    configured: bool
    reported_at: str | None = None
    watch: str | None = None
    watch_why: str | None = None


async def known_roots(kafka: Kafka, specs: Collection[RootSpec]) -> list[RootLine]:
    """All roots by name. `specs`: those declared here. Raises NotProvisioned, KafkaError."""
    return merged(specs, await read_states(kafka), await _lately(kafka))


def merged(
    specs: Collection[RootSpec],
    states: Mapping[str, LatestUpdate],
    reports: Sequence[tuple[int, RootReport]],
) -> list[RootLine]:
    """Combine specs, published states and reports. `reports`: with their append times in milliseconds, oldest first."""
    lines = {spec.name: _configured(spec) for spec in specs}
    for key, state in states.items():
        if state.update.action == "storage_update" and not key.endswith(GAPS_SUFFIX) and not _retired(state):
            lines[key] = _from_state(key, state)
    for at, report in reports:
        lines[report.root] = _reported(report, at)
        if report.mode == "retired":
            del lines[report.root]
    named = {spec.name for spec in specs}
    return [structs.replace(line, configured=name in named) for name, line in sorted(lines.items())]


def find_root(name: str, lines: Sequence[RootLine]) -> RootLine:
    """The root of that name. Raises BadArgument with those that are known."""
    names = [line.name for line in lines]
    if name in names:
        return lines[names.index(name)]
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise BadArgument("ROOT", f"no root is named {name!r}; {hint}known: {', '.join(names) or 'none'}")


def report_of(record: LogRecord) -> RootReport | ScanReport | None:
    """The record's report, if it is about a root."""
    try:
        report = _reports.decode(record.value)
    except SchemaError:  # written by another version or program
        return None
    return report if isinstance(report, RootReport | ScanReport) else None


async def _lately(kafka: Kafka) -> list[tuple[int, RootReport]]:
    async with reader(kafka) as consumer:
        within = await bounds(consumer, await partitions_of(consumer, kafka.name(REPORTS)))
        starts = await resolve(consumer, AtTime(Millis(time.time_ns() // 1_000_000 - LATELY_MS)), within)
        found = [(r.timestamp, report_of(r)) async for some in stretch(consumer, starts, within.end) for r in some]
    return [(at, report) for at, report in found if isinstance(report, RootReport)]


def _configured(spec: RootSpec) -> RootLine:
    message = "nobody has reported it yet: is `catalogizer watch` running with it?"
    return RootLine(spec.name, spec.library, spec.location, spec.protocol, "unknown", message, configured=True)


def _from_state(name: str, state: LatestUpdate) -> RootLine:
    details = {} if state.update.details is UNSET else state.update.details
    library, path, protocol = (_text(details.get(key)) for key in ("library", "location", "protocol"))
    message = f"nobody reports it now; the last was: {state.update.message or state.update.status}"
    return RootLine(name, library, path, protocol, "silent", message, configured=False, reported_at=iso(state.at))


def _reported(report: RootReport, at: int) -> RootLine:
    return RootLine(
        report.root, report.library, report.location, report.protocol, report.mode,
        report.message + _progress(report.details), configured=False, reported_at=iso(at),
        watch=_text(report.details.get(WATCH)), watch_why=_text(report.details.get(WATCH_WHY)),
    )  # fmt: skip


def _progress(details: Mapping[str, Scalar]) -> str:
    done, expected = details.get(SCAN_DONE), details.get(SCAN_EXPECTED)
    if not isinstance(done, int) or not isinstance(expected, int):
        return ""
    about = f" of about {max(done, expected):,}" if expected else ""
    return f"; scan {details.get(SCAN)}: {done:,}{about} entries looked at"


def _retired(state: LatestUpdate) -> bool:
    return state.update.details is not UNSET and state.update.details.get("mode") == "retired"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
