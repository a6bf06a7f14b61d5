"""The status agent: reports in, system updates out. There is one partition of reports, so there is one agent."""

from __future__ import annotations

from functools import partial
from typing import Any

from runtime.kafka import Kafka
from schemas.codec import Codec
from schemas.headers import check_version
from schemas.system import Report
from schemas.topics import REPORTS
from streams.confirmed import Confirmed
from streams.guard import Guard, Received, received
from streams.status.publishing import GAPS_SUFFIX, UpdatePublisher, read_states
from streams.status.rules import StatusRules

_reports: Codec[Report] = Codec(Report)


class StatusAgent:
    """The agent's body, called by Faust with its stream."""

    def __init__(self, kafka: Kafka, *, confirmed: Confirmed, guard: Guard) -> None:
        self._kafka = kafka
        self._guard = guard
        self._publisher = UpdatePublisher(kafka, confirmed, REPORTS)
        self._rules: StatusRules | None = None
        self._generation: object = None

    async def run(self, stream: Any) -> None:
        """Run forever."""
        stream.enable_acks = False  # events are acknowledged explicitly, when the updates are confirmed
        async for event in stream.events():
            if event.message.generation_id != self._generation:
                # another worker may have published updates since: begin from the last ones
                self._rules, self._generation = None, event.message.generation_id
            record = received(event.message)
            await self._guard.run(record, partial(self.report, record))
            event.ack()

    async def report(self, record: Received) -> None:
        """Process one report until its updates are confirmed. Raises SchemaError for an invalid report."""
        check_version(record.headers)
        report = _reports.decode(record.value)
        if self._rules is None:
            self._rules = await self._restored()
        for index, update in enumerate(self._rules.report(report, record.timestamp)):
            await self._publisher.publish(record, index, update, key=update.component)
            self._rules.published(update, record.timestamp)

    async def _restored(self) -> StatusRules:
        rules = StatusRules()
        for state in (await read_states(self._kafka)).values():
            if not state.key.endswith(GAPS_SUFFIX):
                rules.published(state.update, state.at)
        return rules
