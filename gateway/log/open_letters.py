"""A gauge of the dead letters that nobody has handled, counted regularly: its alert ends when they are handled."""

from __future__ import annotations

from gateway import metrics
from gateway.log.dead_letters import DeadLetterQueues
from gateway.log.reader import LogUnavailable
from runtime import log
from runtime.lifecycle import Stop

EVERY_SECONDS = 30.0

_log = log.get(__name__)


class OpenLetters:
    """Counts the newest letters of each queue, as `DeadLetterQueues` lists them."""

    def __init__(self, queues: DeadLetterQueues) -> None:
        self._queues = queues
        self._counts = True

    async def run(self, stop: Stop) -> None:
        """Count until requested to stop."""
        while not stop.requested:
            await self._count()
            await stop.wait(EVERY_SECONDS)

    async def _count(self) -> None:
        try:
            found = await self._queues.newest()
        except LogUnavailable as error:
            if self._counts:
                _log.warning("dead letters are not counted", error=str(error))
            self._counts = False
            return
        self._counts = True
        for topic, letters in found.items():
            metrics.OPEN_LETTERS.labels(topic.name).set(sum(letter.closed is None for letter in letters))
