"""Why a dead letter queue cannot be read or changed.

QueueError           (a `PlatformError`)
├── LedgerTaken      another process works on the same queue (retryable)
├── NoLetter         no letter is at that offset
└── QueueSilent      Kafka has stopped answering in the middle (retryable)
"""

from __future__ import annotations

from runtime.errors import PlatformError


class QueueError(PlatformError):
    """Base of these errors. `queue`: its name on the installation."""

    def __init__(self, queue: str, text: str) -> None:
        self.queue = queue
        super().__init__(text)


class LedgerTaken(QueueError):
    """Another process took over the queue. Letters that were closed before stay closed."""

    retryable = True

    def __init__(self, queue: str) -> None:
        super().__init__(queue, f"another process works on {queue}: check its letters (`dlq list`) and try again")


class NoLetter(QueueError):
    """`offset`: the offset without a letter."""

    def __init__(self, queue: str, offset: int) -> None:
        self.offset = offset
        super().__init__(queue, f"{queue} has no letter at {offset}")


class QueueSilent(QueueError):
    """`seconds`: for how long Kafka sent nothing."""

    retryable = True

    def __init__(self, queue: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(queue, f"Kafka has not answered for {seconds:g} s (CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS)")
