"""Jobs of analyses on request, and jobs whose first probe took too long: processed only while no job of the other topic is
in work, and by one child less than there are.

So the job of a file that has changed finds a free child, or gets the next free one, however many jobs were requested.
This is a reader separate from the agents: Faust would fetch these jobs as eagerly as the others, and stops fetching
completely when its buffer for them is full.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from runtime.kafka import Kafka
from runtime.rights import REFUSED
from schemas.topics import REQUESTED_JOBS
from streams.analysis.agent import AnalysisAgent
from streams.group_offsets import GroupOffsets
from streams.guard import Guard, received_plain
from streams.member import STOP_SECONDS, Beginning, PlainMember

GROUP = "requested"
FETCH_MS = 200


class RequestedJobs(PlainMember):
    """A member of the group that reads them at this site. `instance`: its static name; `children`: how many can probe."""

    def __init__(
        self, kafka: Kafka, *, site: str, instance: str, agent: AnalysisAgent, guard: Guard, children: int,
        offsets: GroupOffsets,
    ) -> None:  # fmt: skip
        super().__init__(kafka.group(f"{GROUP}.{site}"), offsets)
        self._kafka = kafka
        self._instance = instance
        self._agent = agent
        self._guard = guard
        self._at_once = max(1, children - 1)

    async def on_start(self) -> None:
        """Join the group."""
        self.consumer = self._kafka.group_consumer(
            self.group, instance=self._instance, auto_offset_reset="earliest"
        )
        await self.consumer.start()
        self.consumer.subscribe([self._kafka.name(REQUESTED_JOBS)], listener=Beginning(self.begin))
        self.work_on(self._work())

    async def _work(self) -> None:
        while not self.should_stop:
            try:
                batches = await self._fetch()
            except REFUSED:  # the worker's check of its rights reports this and ends the worker
                await self.sleep(STOP_SECONDS)
                continue
            records = [received_plain(record) for batch in batches.values() for record in batch]
            if records:
                await asyncio.gather(
                    *(
                        self._guard.run(record, partial(self._agent.job, record, REQUESTED_JOBS))
                        for record in records
                    )
                )
                self.times |= {tp: batch[-1].timestamp for tp, batch in batches.items()}
            await self.commit_processed()

    async def _fetch(self) -> dict[TopicPartition, list[ConsumerRecord]]:
        """A few jobs, or none while others are in work. It polls all the time, because the group removes a member that
        does not."""
        ours: Iterable[TopicPartition] = self.consumer.assignment()
        if self._agent.is_busy:
            self.consumer.pause(*ours)
        else:
            self.consumer.resume(*ours)
        batches: dict[TopicPartition, list[ConsumerRecord]]
        batches = await self.consumer.getmany(timeout_ms=FETCH_MS, max_records=self._at_once)
        return batches
