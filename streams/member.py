"""A member of a consumer group besides the Faust app: joins at its start, works until it is stopped, and leaves if
requested."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from mode import Service

from runtime import log
from runtime.kafka import ConsumerRebalanceListener, leave_for_good, leave_now, rejoin, stop_client
from runtime.lag import Reached
from streams.group_offsets import GroupOffsets

STOP_SECONDS = 1.0

_log = log.get(__name__)


class GroupMember(Service):
    """A member. Unfinished work is delivered again to the next owner of the partitions. `group`: its name; `consumer`: set
    from its start on; `times`: append times of the records processed last, by partition, ms."""

    consumer: AIOKafkaConsumer

    def __init__(self, group: str) -> None:
        super().__init__()
        self.group = group
        self._working: asyncio.Future[None] | None = None
        self._leaves_at_stop = False
        self._committed: dict[TopicPartition, int] = {}
        self.times: dict[TopicPartition, int] = {}

    def stand(self) -> dict[TopicPartition, Reached]:
        """The committed positions of the assigned partitions, as far as they are known."""
        return {
            partition: Reached(offset, self.times.get(partition)) for partition, offset in self._committed.items()
        }

    def work_on(self, work: Coroutine[None, None, None]) -> None:
        """Run its work, from now until its stop."""
        self._working = self.add_future(work)

    async def on_stop(self) -> None:
        """End the work, and close the consumer, if it has one by now."""
        if "consumer" not in vars(self):
            return
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working], timeout=STOP_SECONDS)
        if self._leaves_at_stop:
            leave_for_good(self.consumer)
        await stop_client(self.consumer)

    def leave_at_stop(self) -> None:
        """Leave the group at the stop, instead of staying a member until the session expires."""
        self._leaves_at_stop = True

    async def rejoin(self) -> None:
        """Join the group again."""
        await rejoin(self.consumer)

    async def leave(self) -> None:
        """Leave the group."""
        await leave_now(self.consumer)


class PlainMember(GroupMember):
    """A member that commits up to where it has processed everything. `offsets`: of its group."""

    def __init__(self, group: str, offsets: GroupOffsets) -> None:
        super().__init__(group)
        self._offsets = offsets
        self._commits = True

    async def begin(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin at the group's offsets in partitions that were assigned just now."""
        await self._offsets.seek(self.consumer, assigned)

    async def commit_processed(self) -> None:
        """Commit the consumer's positions when all its records are processed. These are also past the ends of
        transactions, which readers do not receive, so that the lag at rest is 0. Does not raise: what is not committed
        is delivered again."""
        try:
            reached = {
                partition: await self.consumer.position(partition) for partition in self.consumer.assignment()
            }
            moved = {tp: self._offsets.at(tp, at) for tp, at in reached.items() if at != self._committed.get(tp)}
            if moved:
                await self.consumer.commit(moved)
        except (KafkaError, IllegalStateError) as error:  # the group is rebalancing, or Kafka is unavailable
            if self._commits:
                _log.warning("offsets not committed", member=type(self).__name__, error=repr(error))
            self._commits = False
        else:
            self._committed, self._commits = reached, True


class Beginning(ConsumerRebalanceListener):  # type: ignore[misc]
    """The group's callbacks for a member that keeps nothing."""

    def __init__(self, begin: Callable[[Iterable[TopicPartition]], Awaitable[None]]) -> None:
        self._begin = begin

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Does nothing: work in progress ends in a confirmed write, or is delivered again."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin at the group's positions."""
        await self._begin(assigned)


class Forgetting(ConsumerRebalanceListener):  # type: ignore[misc]
    """The group's callbacks for a member that drops its state (`forget`) whenever partitions are revoked or
    assigned."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget = forget

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Work in progress ends in a confirmed write, or is delivered again."""
        self._forget()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin at the group's positions."""
        self._forget()
