"""Which readers have been behind the log for too long, from their heartbeats. Pure.

A component has a problem when one of its processes is more than `BEHIND_SECONDS` behind in every heartbeat of `PATIENCE_MS`,
and is well when none is. A process without heartbeats, or one that leaves, has no lag: for silence there is another alert.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.system import BEHIND, Heartbeat
from streams.alerts.verdict import Cause, Problem, Verdict

BEHIND_SECONDS = 60
PATIENCE_MS = 60_000
SILENCE_MS = 15_000


@dataclass(frozen=True, slots=True)
class _Late:
    """A process that is behind, from its record at `since` to the one at `last`; `seconds`: how far it was behind at
    the last one."""

    since: Cause
    last: Cause
    seconds: float


class Lags:
    """The processes that are behind, by component and instance."""

    def __init__(self) -> None:
        self._late: dict[str, dict[str, _Late]] = {}

    def received(self, beat: Heartbeat, cause: Cause) -> Verdict | None:
        """A heartbeat was received: returns the verdict on its component; None: nothing has changed, as far as is
        known."""
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
        """The offset of the oldest report that is used; None: no report."""
        ones = [one for late in self._late.values() for one in late.values()]
        return min((one.last.offset if _is_long(one) else one.since.offset for one in ones), default=None)


def _is_long(one: _Late) -> bool:
    return one.last.at - one.since.at >= PATIENCE_MS


def _verdict(beat: Heartbeat, seconds: float) -> Verdict:
    message = (
        f"{beat.component} is {seconds:.0f} s behind the log: what happens on the disks is seen that much later; look at its"
        " log, and whether the machine has enough processor and disk for it"
    )
    problem = Problem(
        "warning",
        f"{beat.component} is behind the log",
        message,
        details={BEHIND: round(seconds, 1), "host": beat.host},
    )
    return Verdict("lag", beat.component, problem)
