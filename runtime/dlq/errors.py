"""Why a dead letter queue cannot be read or seen to.

QueueError           (a `PlatformError`)
├── LedgerTaken      somebody else sees to the same queue (retryable)
├── NoLetter         no letter is at that offset
└── QueueSilent      Kafka has stopped answering in the middle (retryable)
"""

from __future__ import annotations

from runtime.errors import PlatformError


class QueueError(PlatformError):
    """Root of the tree. `queue`: its name on the installation."""

    def __init__(self, queue: str, text: str) -> None:
        self.queue = queue
        super().__init__(text)


class LedgerTaken(QueueError):
    """What had been done is done."""

    retryable = True

    def __init__(self, queue: str) -> None:
        super().__init__(queue, f"somebody else works on {queue}: look at its letters (`dlq list`) and ask again")


class NoLetter(QueueError):
    """`offset`: where none is."""

    def __init__(self, queue: str, offset: int) -> None:
        self.offset = offset
        super().__init__(queue, f"{queue} has no letter at {offset}")


class QueueSilent(QueueError):
    """`seconds`: for how long nothing came."""

    retryable = True

    def __init__(self, queue: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(queue, f"Kafka has not answered for {seconds:g} s (CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS)")
