"""Why a log cannot be moved; each error is one line.

MoveError             (a `CommandError`)
├── NotEmbedded       the platform uses brokers of its own already
├── NoLog             the state folder contains no log
├── Unreachable       the new brokers do not answer, or reject the credentials (retryable)
├── NotEmpty          there are records in the platform's topics at the new brokers
├── OtherCopy         there is an incomplete copy, which cannot be continued
├── Unsettled         a transaction in the log was not ended by its time-out (retryable)
├── Disturbed         an offset at the new brokers is not the expected one
├── TimesNotKept      the new brokers replace the records' times
└── Different         the copy is not equal to the log
"""

from __future__ import annotations

from pathlib import Path

from cli.errors import CommandError

ANEW = "repeat the command with --again, which deletes the topics of the incomplete copy and copies from the beginning"


class MoveError(CommandError):
    """Base of these errors; its text is the line shown."""


class NotEmbedded(MoveError):
    """The settings name brokers, so there is no embedded log to move."""

    def __init__(self) -> None:
        super().__init__(
            "the log of the embedded Kafka is moved, and the settings name brokers of your own: unset"
            " CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS and CATALOGIZER_KAFKA__PROPERTIES_FILE for this command"
        )


class NoLog(MoveError):
    """`state_dir`: where nothing was found."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        super().__init__(f"{state_dir} contains no log: set CATALOGIZER_STATE_DIR")


class Unreachable(MoveError):
    """`file`: the properties that say how to connect; `reason`: the client's."""

    retryable = True

    def __init__(self, file: Path, reason: str) -> None:
        self.file = file
        super().__init__(f"{file}: the brokers named there cannot be used: {reason}")


class NotEmpty(MoveError):
    """`topic`: its name at the new brokers, one of those with records."""

    def __init__(self, topic: str, records: int) -> None:
        self.topic = topic
        super().__init__(
            f"topic {topic} at the new brokers is not empty (it ends at offset {records}): a log is moved to where none is;"
            " name another --topic-prefix, or delete all topics of the platform there if nothing in them is needed"
        )


class OtherCopy(MoveError):
    """`what`: why the copy cannot be continued."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: {ANEW}")


class Unsettled(MoveError):
    """`topic` and `partition`: where the transaction is."""

    retryable = True

    def __init__(self, topic: str, partition: int, seconds: float) -> None:
        super().__init__(
            f"topic {topic}, partition {partition}: a transaction of a killed process was not ended within {seconds:g} s:"
            " repeat the command after CATALOGIZER_KAFKA__TRANSACTION_TIMEOUT_MS"
        )


class Disturbed(MoveError):
    """Something else writes to the new topics, or the brokers do not keep what they acknowledged."""

    def __init__(self, topic: str, partition: int, expected: int, found: int) -> None:
        self.topic = topic
        self.partition = partition
        super().__init__(
            f"topic {topic}, partition {partition} at the new brokers is at offset {found}, and should be at {expected}: end"
            f" whatever else writes there, and {ANEW}"
        )


class TimesNotKept(MoveError):
    """`topic`: its name at the new brokers."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        super().__init__(
            f"topic {topic}: the new brokers gave a record another time, though message.timestamp.type of the topic is"
            f" CreateTime during the copy: if nothing else has changed it, {ANEW}"
        )


class Different(MoveError):
    """`topic`, `partition`, `offset`: the first difference; `what`: what differs."""

    def __init__(self, topic: str, partition: int, offset: int, what: str) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        super().__init__(
            f"the copy differs: topic {topic}, partition {partition}, offset {offset}: {what}; {ANEW}"
        )
