"""Which dead letter queues get letters, from the queues themselves: only they are exact over restarts. Pure.

A queue has a problem from a letter on until none of the letters since then is open, or none has come for `SILENCE_MS`: an
operator has been alerted by then, and `catalogizer dlq list` shows the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.alerts import Alert
from schemas.codec import Codec
from schemas.dead_letters import Letter, Mark
from schemas.errors import SchemaError
from schemas.system import Scalar
from schemas.topics import ALERTS
from streams.alerts.verdict import Cause, Problem, Verdict

SILENCE_MS = 3_600_000

_alerts: Codec[Alert] = Codec(Alert)


class OpenLetters:
    """By topic, the letters of its queue that are open and came since the alert fired."""

    def __init__(self) -> None:
        self._open: dict[str, dict[int, Letter]] = {}

    def came(self, topic: str, found: Letter | Mark, cause: Cause) -> Verdict | None:
        """A letter or mark was read: returns the verdict on the topic's queue."""
        open_ = self._open.setdefault(topic, {})
        if isinstance(found, Mark):
            closed = found.closed
            for offset, letter in [*open_.items()]:
                if offset == closed.letter or (
                    closed.how != "discarded" and closed.origin is not None and letter.origin == closed.origin
                ):
                    del open_[offset]
            return None if open_ else _well(topic, "every letter was seen to")
        if _is_about_itself(topic, found):
            return None
        open_[cause.offset] = found
        return _verdict(topic, found)

    def passed(self, at: int) -> Iterator[Verdict]:
        """Time has advanced to `at`, in ms; yields verdicts for queues that are silent, or have nothing open."""
        for topic, open_ in self._open.items():
            if open_ and max(letter.at for letter in open_.values()) + SILENCE_MS <= at:
                open_.clear()
                yield _well(
                    topic, "no more letters have come for an hour; `catalogizer dlq list` shows what is open"
                )

    def is_quiet(self, topic: str) -> bool:
        """Whether nothing is open, as far as was read."""
        return not self._open.get(topic)

    def keep_from(self, topic: str) -> int | None:
        """The offset of the oldest record of a topic's queue that is used; None: no record."""
        return min(self._open.get(topic, ()), default=None)


def quiet(topic: str) -> Verdict:
    """The verdict that a queue needs no attention any more."""
    return _well(topic, "no letter of the last hour is open")


def _is_about_itself(topic: str, letter: Letter) -> bool:
    """Whether the letter is an undelivered alert about this same queue, which must not cause another alert."""
    if topic != ALERTS.name:
        return False
    try:
        return _alerts.decode(letter.value).subject == f"dead_letters/{topic}"
    except SchemaError:
        return False


def _well(topic: str, why: str) -> Verdict:
    return Verdict("dead_letters", topic, None, f"dead letters of {topic}: {why}")


def _verdict(topic: str, letter: Letter) -> Verdict:
    message = (
        f"a record of {topic} could not be processed ({letter.error_type}: {letter.error}); more may follow:"
        f" `catalogizer dlq list {topic}`, then `dlq redrive` or `dlq discard`"
    )
    details: dict[str, Scalar] = {"error": letter.error_type, "letter": letter.offset}
    return Verdict("dead_letters", topic, Problem("warning", f"Dead letters of {topic}", message, details=details))
