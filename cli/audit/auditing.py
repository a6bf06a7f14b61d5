"""Audits lane by lane, in an order that avoids false differences from changes during the audit.

The disk is walked first, then the log is read to its end. Paths that differ are checked again some seconds later, and only
those that still differ are reported. Memory: the paths of one lane's roots, once from the log and once from the disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer

from cli.audit import reasons
from cli.audit.belief import LaneBelief, RootBelief
from cli.audit.believed_tree import BelievedTree
from cli.audit.comparing import (
    CatalogueLook,
    differing_fields,
    seen_of,
    unlike_disk,
    what_of_catalogue,
    what_of_disk,
)
from cli.audit.findings import AnyFinding, Difference, PathState, RootFound, Summary, What
from cli.audit.reading import FETCH_BYTES, LaneReading
from cli.audit.reasons import CatalogueProgress, Circumstances
from cli.audit.rows import CatalogueRows, catalogue
from cli.audit.tallying import Totals
from cli.audit.traces import Traces
from cli.audit.walking import Disk, PathLook, Walked
from cli.errors import BadArgument
from cli.progress import Stages
from producer.errors import RootFault
from producer.settings import RootSpec
from runtime.kafka import Kafka
from runtime.log_reading import partitions_of, reader
from runtime.rights import check_topics
from schemas.lanes import lane_of
from schemas.paths import to_wire
from schemas.times import iso
from schemas.topics import CHANGES, POSITIONS, RAW

LOOK_AGAIN_SECONDS = 3.0
"""The time between the two checks of what differs."""


@dataclass(frozen=True, slots=True)
class AuditScope:
    """What is audited. `here`: the roots that this machine can read; `only`: names of roots, empty for all; `database`: the
    catalogue's URL, None if none is set; `settle_seconds`: a difference in what changed within this time is pending."""

    here: Sequence[RootSpec]
    only: frozenset[str]
    database: str | None
    settle_seconds: float

    def wants(self, root: str) -> bool:
        """Whether the root was requested."""
        return not self.only or root in self.only

    def roots_of(self, lane: int, lanes: int) -> list[RootSpec]:
        """The roots of a lane to compare."""
        return [spec for spec in self.here if self.wants(spec.name) and lane_of(spec.library, lanes) == lane]

    def lanes(self, partitions: Collection[int], lanes: int) -> list[int]:
        """The lanes to read: those of the requested roots if all of these are here, else all."""
        if self.only and self.only <= {spec.name for spec in self.here}:
            return sorted({lane_of(spec.library, lanes) for spec in self.here if spec.name in self.only})
        return sorted(partitions)


@dataclass(slots=True)
class _Compared:
    """A compared root. `unlike`, `unlike_rows`: paths that differ from the disk and from the catalogue at the first check;
    `looks`, `rows`: what the second check found for them."""

    spec: RootSpec
    belief: RootBelief
    tree: BelievedTree
    disk: Disk
    unlike: set[str] = field(default_factory=set)
    unlike_rows: set[str] = field(default_factory=set)
    looks: dict[str, PathLook] = field(default_factory=dict)
    rows: dict[str, PathState] = field(default_factory=dict)


async def audit(kafka: Kafka, scope: AuditScope, stages: Stages) -> AsyncGenerator[AnyFinding | Summary, None]:
    """All findings, then a summary. Writes nothing. Raises BadArgument, DatabaseUnreadable, LogSilent, NotAllowed,
    NotProvisioned, KafkaError."""
    totals = Totals()
    async with AsyncExitStack() as stack:
        consumer = await stack.enter_async_context(reader(kafka, max_partition_fetch_bytes=FETCH_BYTES))
        read = (RAW, CHANGES, POSITIONS) if scope.database else (RAW,)
        await check_topics(kafka, consumer._client, "Read", *read)
        partitions = [p.partition for p in await partitions_of(consumer, kafka.name(RAW))]
        rows = None
        if scope.database is not None:
            rows = await stack.enter_async_context(catalogue(scope.database))
        totals.catalogue = rows is not None
        for lane in scope.lanes(partitions, kafka.lanes):
            one = _Lane(kafka, consumer, lane, scope, rows, stages)
            async with aclosing(one.audit(totals)) as findings:
                async for finding in findings:
                    totals.add(finding)
                    yield finding
    unknown = scope.only - totals.known - {spec.name for spec in scope.here}
    if unknown:
        known = ", ".join(sorted(totals.known | {spec.name for spec in scope.here})) or "none"
        raise BadArgument("--root", f"no root is named {', '.join(sorted(unknown))}; known: {known}")
    yield totals.summary()


class _Lane:
    """One lane's audit."""

    def __init__(
        self, kafka: Kafka, consumer: AIOKafkaConsumer, lane: int, scope: AuditScope, rows: CatalogueRows | None,
        stages: Stages,
    ) -> None:  # fmt: skip
        self._log = LaneReading(kafka, consumer, lane)
        self._lane = lane
        self._scope = scope
        self._rows = rows
        self._stages = stages
        self._specs = scope.roots_of(lane, kafka.lanes)
        self._belief = LaneBelief(lane, [spec.name for spec in self._specs])

    async def audit(self, totals: Totals) -> AsyncGenerator[AnyFinding, None]:
        """The lane's findings."""
        walks = {spec.name: self._walk(spec) for spec in self._specs}
        with self._stages.stage(f"lane {self._lane}: reading the log", await self._log.left()) as advance:
            await self._log.read_on(self._belief.read, read=advance)
        compared: list[_Compared] = []
        for spec in self._specs:
            disk, walked = walks.pop(spec.name)
            one = self._begin(spec, disk, walked)
            if isinstance(one, RootFound):
                yield one
                continue
            compared.append(one)
            if walked.unread:
                yield _unread(spec.name, walked)
            if self._rows is not None:
                one.unlike_rows = await self._unlike_rows(one, self._rows)
        progress = await self._look_again(compared)
        totals.take(self._belief, self._lane, self._log.next, [one.spec.name for one in compared])
        for found in self._of_the_log():
            yield found
        for difference in await self._differences(compared, progress):
            yield difference

    def _walk(self, spec: RootSpec) -> tuple[Disk, Walked]:
        disk = Disk(spec)
        with self._stages.stage(f"{spec.name}: walking {spec.location}") as advance:
            return disk, disk.walk(advance)

    def _of_the_log(self) -> Iterator[AnyFinding]:
        if self._log.first > 0:
            why = f"the change log of lane {self._lane} begins at {self._log.first}: what was before is gone"
            yield RootFound(severity="fault", root="", why=why)
        for finding in self._belief.findings():
            if not finding.root or self._scope.wants(finding.root):
                yield finding
        here = {spec.name for spec in self._scope.here}
        for name in sorted(self._belief.roots.keys() - here):
            if self._scope.wants(name) and not self._belief.roots[name].retired:
                why = "the settings here do not name it, it is elsewhere: only its records were looked at"
                yield RootFound(severity="note", root=name, why=why)

    # -- first look --------------------------------------------------------------------------------------------

    def _begin(self, spec: RootSpec, disk: Disk, walked: Walked) -> _Compared | RootFound:
        """Compare log and disk; a finding if they cannot be compared."""
        belief = self._belief.roots.get(spec.name)
        if belief is None or belief.tree is None or belief.retired:
            what = "nothing" if belief is None else "only that it was retired"
            why = (
                f"the change log has {what} of it in library {spec.library}: does `catalogizer watch` run with it?"
            )
            return RootFound(severity="fault", root=spec.name, why=why)
        if (fault := walked.fault(belief.identity)) is not None:
            why = f"it was not compared: {fault.detail}"
            return RootFound(severity="pending" if belief.lost else "fault", root=spec.name, why=why)
        return _Compared(spec, belief, belief.tree, disk, unlike_disk(belief.tree, walked.tree, walked.unread))

    async def _unlike_rows(self, one: _Compared, rows: CatalogueRows) -> set[str]:
        look = CatalogueLook(one.tree)
        with self._stages.stage(f"{one.spec.name}: reading the catalogue") as advance:
            async with aclosing(rows.rows(one.spec.name)) as found:
                async for path, seen in found:
                    look.row(path, seen)
                    advance(1)
        return look.differing()

    # -- second look -------------------------------------------------------------------------------------------

    async def _look_again(self, compared: Sequence[_Compared]) -> CatalogueProgress:
        """Check again what differs: first the disk, then the log, then the catalogue's progress, then its rows."""
        if not any(one.unlike or one.unlike_rows for one in compared):
            return CatalogueProgress(0, behind=False)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        for one in compared:
            try:
                one.looks = one.disk.look(one.unlike)
            except RootFault:  # the root is gone now: nothing can be reported about it
                one.unlike = set()
        await self._log.read_on(self._belief.read, read=lambda _: None)
        progress = CatalogueProgress(0, behind=False)
        if self._rows is not None:
            fold, last_change = await self._log.fold_position(), await self._log.last_change()
            progress = CatalogueProgress(fold, last_change >= await self._rows.projected(self._lane))
            for one in compared:
                one.rows = await self._rows.at(one.spec.name, one.unlike_rows)
        return progress

    async def _differences(self, compared: Sequence[_Compared], progress: CatalogueProgress) -> list[Difference]:
        pairs = [(one, _still(one)) for one in compared]
        wanted = [(one.spec.name, path) for one, found in pairs for path, _ in found]
        if not wanted:
            return []
        traces = Traces(wanted)
        with self._stages.stage(
            f"lane {self._lane}: looking where it comes from", self._log.next - self._log.first
        ) as advance:
            await self._log.read_again(traces.read, read=advance)
        now_ms = time.time_ns() // 1_000_000
        return [
            self._difference(one, path, what, traces, progress, now_ms)
            for one, found in pairs
            for path, what in found
        ]

    def _difference(
        self, one: _Compared, path: str, what: What, traces: Traces, progress: CatalogueProgress, now_ms: int
    ) -> Difference:
        root, last = one.spec.name, traces.of(one.spec.name, path)
        of_disk = what in ("missing", "phantom", "changed")
        look = one.looks.get(path) if of_disk else None
        log = seen_of(one.tree.get(path))
        other = look.seen if look is not None else one.rows.get(path)
        last_at = max(traces.last_at(root, path), 0 if look is None else look.changed_ns // 1_000_000)
        case = Circumstances(
            what, path, None if last is None else last.offset, max(0, now_ms - last_at),
            int(self._scope.settle_seconds * 1000), look is not None and look.excluded,
        )  # fmt: skip
        severity, why = (
            reasons.of_disk(case, one.belief) if of_disk else reasons.of_catalogue(case, one.belief, progress)
        )
        display, b64 = to_wire(path)
        return Difference(
            severity=severity, root=root, why=why, what=what, path=display, path_b64=b64, log=log, other=other,
            fields=differing_fields(log, other), partition=self._lane, offset=case.offset,
            at=None if last is None else iso(last.at), record=None if last is None else last.kind,
            cause=None if last is None else last.cause,
        )  # fmt: skip


def _unread(root: str, walked: Walked) -> RootFound:
    where, reason = next(iter(walked.unread.items()))
    why = f"{len(walked.unread)} directories could not be read, the first is {where!r}: {reason}"
    return RootFound(severity="pending", root=root, why=why)


def _still(one: _Compared) -> list[tuple[str, What]]:
    """What still differs at the second check, ordered by path."""
    found: list[tuple[str, What]] = []
    looks: Mapping[str, PathLook] = one.looks
    for path in sorted(one.unlike & looks.keys()):
        if (what := what_of_disk(seen_of(one.tree.get(path)), looks[path].seen)) is not None:
            found.append((path, what))
    for path in sorted(one.unlike_rows):
        if (what := what_of_catalogue(seen_of(one.tree.get(path)), one.rows.get(path))) is not None:
            found.append((path, what))
    return found
