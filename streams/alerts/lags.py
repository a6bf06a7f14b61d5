"""Who has been behind the log for too long, from the heartbeats of readers. Pure.

A component is in trouble when one of its processes is more than `BEHIND_SECONDS` behind in every heartbeat of
`PATIENCE_MS`, and well when none is. Who is not heard any more, or leaves, is nobody's lag: that it is silent is another
alert's.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.system import BEHIND, Heartbeat
from streams.alerts.trouble import Cause, Trouble, Verdict

BEHIND_SECONDS = 60
PATIENCE_MS = 60_000
SILENCE_MS = 15_000


@dataclass(frozen=True, slots=True)
class _Late:
    """A process that is behind, from its record at `since` to that at `last`; `seconds`: how far then."""

    since: Cause
    last: Cause
    seconds: float


class Lags:
    """By component and instance, those that are behind."""

    def __init__(self) -> None:
        self._late: dict[str, dict[str, _Late]] = {}

    def hear(self, beat: Heartbeat, cause: Cause) -> Verdict | None:
        """How the component is now; None: nothing that was said of it has changed, as far as is known."""
        behind = beat.details.get(BEHIND)
        if not isinstance(behind, int | float):
            return None
        late = self._late.setdefault(beat.component, {})
        if behind > BEHIND_SECONDS and not beat.leaving:
            known = late.get(beat.instance)
            late[beat.instance] = _Late(cause if known is None else known.since, cause, float(behind))
        else:
            late.pop(beat.instance, None)
        for instance in [name for name, one in late.items() if cause.at - one.last.at > SILENCE_MS]:
            del late[instance]
        if not late:
            well = f"{beat.component} is no more than {BEHIND_SECONDS} s behind"
            return Verdict("lag", beat.component, None, well)
        long = [one for one in late.values() if _is_long(one)]
        return _verdict(beat, max(one.seconds for one in long)) if long else None

    def keep_from(self) -> int | None:
        """The oldest report that this is made of; None: of none."""
        ones = [one for late in self._late.values() for one in late.values()]
        return min((one.last.offset if _is_long(one) else one.since.offset for one in ones), default=None)


def _is_long(one: _Late) -> bool:
    return one.last.at - one.since.at >= PATIENCE_MS


def _verdict(beat: Heartbeat, seconds: float) -> Verdict:
    message = (
        f"{beat.component} is {seconds:.0f} s behind the log: what happens on the disks is seen that much later; look at its"
        " log, and whether the machine has enough processor and disk for it"
    )
    trouble = Trouble(
        "warning",
        f"{beat.component} is behind the log",
        message,
        details={BEHIND: round(seconds, 1), "host": beat.host},
    )
    return Verdict("lag", beat.component, trouble)
