"""How much of a root is deleted at once, by the append times of the changes. Pure.

The `deleted` changes of the last `window_ms` are counted, in steps of a second. The share is relative to what was
there: what the root's producer last counted before the first of them. For a root without reports this is not known, and
only the large number applies. The alert is resolved when nothing was deleted for that time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from streams.alerts.verdict import Cause, Problem, Verdict


@dataclass(frozen=True, slots=True)
class Limits:
    """An alert fires for `count` deletions that are also `percent` of what was there, or for `many`, within
    `window_ms`."""

    window_ms: int = 60_000
    count: int = 500
    percent: float = 20.0
    many: int = 10_000


@dataclass(slots=True)
class _Second:
    """Deletions of one second; `first`: offset of the first."""

    at: int
    first: int
    count: int = 0


@dataclass(slots=True)
class _Root:
    library: str
    partition: int
    was: int | None
    deleted: int = 0
    seconds: deque[_Second] = field(default_factory=deque)


class Deletions:
    """Recent deletions, by root."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._roots: dict[str, _Root] = {}
        self._entries: dict[str, tuple[int, int]] = {}

    def counted(self, root: str, entries: int) -> None:
        """The root's producer has reported how many entries it knows now."""
        before = self._entries.get(root, (entries, entries))
        self._entries[root] = (before[1], entries)

    def deleted(self, root: str, library: str, cause: Cause) -> Verdict | None:
        """One more path was deleted; returns a verdict if these are too many."""
        found = self._roots.get(root)
        if found is None:
            known = self._entries.get(root)
            found = self._roots[root] = _Root(library, cause.partition, None if known is None else max(known))
        second = cause.at - cause.at % 1000
        if not found.seconds or found.seconds[-1].at < second:
            found.seconds.append(_Second(second, cause.offset))
        found.seconds[-1].count += 1
        found.deleted += 1
        self._forget(found, cause.at)
        return self._verdict(root, found) if self._is_much(found) else None

    def passed(self, at: int) -> Iterator[Verdict]:
        """Time has advanced to `at`, in ms; yields verdicts for roots that are quiet again."""
        for root, found in [*self._roots.items()]:
            self._forget(found, at)
            if not found.seconds:
                del self._roots[root]
                yield quiet(root)

    def is_quiet(self, root: str) -> bool:
        """Whether nothing was deleted recently, as far as was read."""
        return root not in self._roots

    def keep_from(self, partition: int) -> int | None:
        """The offset of the oldest change of a partition that is counted; None: no change."""
        firsts = (r.seconds[0].first for r in self._roots.values() if r.partition == partition and r.seconds)
        return min(firsts, default=None)

    def _forget(self, found: _Root, at: int) -> None:
        while found.seconds and found.seconds[0].at + 1000 + self._limits.window_ms <= at:
            found.deleted -= found.seconds.popleft().count

    def _is_much(self, found: _Root) -> bool:
        limits = self._limits
        if found.deleted >= limits.many:
            return True
        return (
            found.was is not None
            and found.deleted >= limits.count
            and found.was >= found.deleted  # else the entries were counted before most of them came
            and found.deleted * 100 >= limits.percent * found.was
        )

    def _verdict(self, root: str, found: _Root) -> Verdict:
        seconds = self._limits.window_ms // 1000
        of = "" if found.was is None else f" of {found.was:,}"
        message = (
            f"{found.deleted:,}{of} files and directories of root {root} were deleted within {seconds} s, and more may"
            f" follow; `catalogizer changes --root {root}` shows which"
        )
        details = {"deleted": found.deleted, **({} if found.was is None else {"entries": found.was})}
        problem = Problem("error", f"Much is being deleted in root {root}", message, found.library, root, details)
        return Verdict("mass_deletion", root, problem)


def quiet(root: str) -> Verdict:
    """The verdict that nothing is deleted there any more."""
    return Verdict("mass_deletion", root, None, f"nothing more is being deleted in root {root}")
