"""How much of a root is deleted at once, by the append times of the changes. Pure.

What is counted are the `deleted` changes of the last `window_ms`, in steps of a second. A share is of what was there: of
what the root's producer has counted last before the first of them. Nothing is known of a root that nobody reports, and
there only the large number counts. It is over when nothing was deleted for as long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from streams.alerts.trouble import Cause, Trouble, Verdict


@dataclass(frozen=True, slots=True)
class Limits:
    """`count` and at the same time `percent` of what was there, or `many`, within `window_ms`."""

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
    """By root, as far as something was deleted lately."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._roots: dict[str, _Root] = {}
        self._entries: dict[str, tuple[int, int]] = {}

    def counted(self, root: str, entries: int) -> None:
        """So much its producer knows in a root now."""
        before = self._entries.get(root, (entries, entries))
        self._entries[root] = (before[1], entries)

    def deleted(self, root: str, library: str, cause: Cause) -> Verdict | None:
        """One more path is gone; a verdict where that is too many."""
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
        """Time has come so far, in ms: roots that are quiet again."""
        for root, found in [*self._roots.items()]:
            self._forget(found, at)
            if not found.seconds:
                del self._roots[root]
                yield quiet(root)

    def is_quiet(self, root: str) -> bool:
        """Nothing was deleted lately, as far as was read."""
        return root not in self._roots

    def keep_from(self, partition: int) -> int | None:
        """The oldest change of a partition that this is made of; None: of none."""
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
            and found.was >= found.deleted  # else it was counted before most of it came
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
        trouble = Trouble("error", f"Much is being deleted in root {root}", message, found.library, root, details)
        return Verdict("mass_deletion", root, trouble)


def quiet(root: str) -> Verdict:
    """That nothing is deleted there any more."""
    return Verdict("mass_deletion", root, None, f"nothing more is being deleted in root {root}")
