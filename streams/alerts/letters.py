"""Which dead letter queues get letters, from the queues themselves: they alone are exact over restarts. Pure.

A queue is in trouble from a letter on until none of those that came since is open, or none has come for `SILENCE_MS`:
somebody knows by then, and `catalogizer dlq list` shows the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.alerts import Alert
from schemas.codec import Codec
from schemas.dead_letters import Letter, Mark
from schemas.errors import SchemaError
from schemas.system import Scalar
from schemas.topics import ALERTS
from streams.alerts.trouble import Cause, Trouble, Verdict

SILENCE_MS = 3_600_000

_alerts: Codec[Alert] = Codec(Alert)


class OpenLetters:
    """By topic, the letters of its queue that are open and came since it fired."""

    def __init__(self) -> None:
        self._open: dict[str, dict[int, Letter]] = {}

    def came(self, topic: str, found: Letter | Mark, cause: Cause) -> Verdict | None:
        """How the queue of a topic is now."""
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
        """Time has come so far, in ms: queues that are silent, or have nothing open."""
        for topic, open_ in self._open.items():
            if open_ and max(letter.at for letter in open_.values()) + SILENCE_MS <= at:
                open_.clear()
                yield _well(
                    topic, "no more letters have come for an hour; `catalogizer dlq list` shows what is open"
                )

    def is_quiet(self, topic: str) -> bool:
        """Nothing is open, as far as was read."""
        return not self._open.get(topic)

    def keep_from(self, topic: str) -> int | None:
        """The oldest record of a topic's queue that this is made of; None: of none."""
        return min(self._open.get(topic, ()), default=None)


def quiet(topic: str) -> Verdict:
    """That a queue needs nothing any more."""
    return _well(topic, "no letter of the last hour is open")


def _is_about_itself(topic: str, letter: Letter) -> bool:
    """An alert of this very queue that could not be delivered must not make another one."""
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
    return Verdict("dead_letters", topic, Trouble("warning", f"Dead letters of {topic}", message, details=details))
