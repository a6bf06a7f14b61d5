"""A member of a consumer group beside the Faust app: joins at its start, works until it is stopped, leaves if it is to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from mode import Service

from runtime import log
from runtime.kafka import ConsumerRebalanceListener, leave_for_good, leave_now, stop_client
from runtime.lag import Reached

STOP_SECONDS = 1.0

_log = log.get(__name__)


class GroupMember(Service):
    """What its work has begun comes again to whoever has the partitions next. `consumer`: from its start on; `times`:
    append times of what was processed last, by partition, ms."""

    consumer: AIOKafkaConsumer

    def __init__(self) -> None:
        super().__init__()
        self._working: asyncio.Future[None] | None = None
        self._leaves_at_stop = False
        self._committed: dict[TopicPartition, int] = {}
        self._commits = True
        self.times: dict[TopicPartition, int] = {}

    def stand(self) -> dict[TopicPartition, Reached]:
        """Up to where it has committed what is assigned to it, as far as it has looked."""
        return {
            partition: Reached(offset, self.times.get(partition)) for partition, offset in self._committed.items()
        }

    async def commit_processed(self) -> None:
        """Commit where the consumer stands, when all that it has given out is processed: past the ends of transactions too,
        of which no reader is shown anything, so that at rest nothing is left. Raises nothing: what is not committed comes
        again."""
        try:
            reached = {
                partition: await self.consumer.position(partition) for partition in self.consumer.assignment()
            }
            moved = {tp: OffsetAndMetadata(at, "") for tp, at in reached.items() if at != self._committed.get(tp)}
            if moved:
                await self.consumer.commit(moved)
        except (KafkaError, IllegalStateError) as error:  # the group is being shared out anew, or Kafka is away
            if self._commits:
                _log.warning("offsets not committed", member=type(self).__name__, error=repr(error))
            self._commits = False
        else:
            self._committed, self._commits = reached, True

    def work_on(self, work: Coroutine[None, None, None]) -> None:
        """Its work, from now to its stop."""
        self._working = self.add_future(work)

    async def on_stop(self) -> None:
        """End the work, and what it reads with."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working], timeout=STOP_SECONDS)
        if self._leaves_at_stop:
            leave_for_good(self.consumer)
        await stop_client(self.consumer)

    def leave_at_stop(self) -> None:
        """Give the place in the group up with the stop, instead of keeping it until the session is over."""
        self._leaves_at_stop = True

    async def leave(self) -> None:
        """Give the place in the group up."""
        await leave_now(self.consumer)


class Forgetting(ConsumerRebalanceListener):  # type: ignore[misc]
    """The group's callbacks for a member that knows nothing any more once its partitions are taken or given: `forget`."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget = forget

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """What is in work ends in a confirmed write, or comes again."""
        self._forget()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin from where the group is."""
        self._forget()
