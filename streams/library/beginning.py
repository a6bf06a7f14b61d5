"""Where a lane's fold begins: at the newest snapshot that can be used, or at the log's beginning.

If the state is to be made from the log, because an operator reset the group, the fold begins at the beginning of the log; if
the log has lost its beginning, at the oldest snapshot that covers it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from runtime import log
from runtime.epochs import read_epochs
from runtime.kafka import Kafka
from schemas.topics import RAW
from streams.core.fold import Fold
from streams.core.rules import RULES, Rules, UnknownRules
from streams.library.errors import BrokenSnapshot, LogTruncated, RulesUnknown
from streams.library.snapshots import Saved, Snapshots, reason_against

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """A fold that continues at `next_offset`; `saved`: the snapshot that it was restored from, None if it is new."""

    fold: Fold
    next_offset: int = 0
    saved: Saved | None = None


class Beginning:
    """Finds the beginning for one lane. `carried`: the rules that this program has; `from_log`: see above."""

    def __init__(
        self, snapshots: Snapshots, lane: int, epoch: str, *, carried: Mapping[int, Rules], from_log: bool
    ) -> None:
        self._snapshots = snapshots
        self._lane = lane
        self._epoch = epoch
        self._carried = carried
        self._from_log = from_log
        self._unfit: set[int] = set()

    async def find(self, first: int, target: int, go_on: Callable[[], Awaitable[bool]]) -> Begun | None:
        """Where to begin in order to reach `target`, for a log that begins at `first`. `go_on` is called repeatedly;
        None when it returned False. Raises RulesUnknown."""
        while target and (first or not self._from_log):
            saved = await self._best(first, target)
            if saved is None:
                break
            try:
                async with aclosing(self._snapshots.load(saved)) as loading:
                    async for state in loading:
                        if state is not None:
                            fold = Fold(self._lane, state=state, carried=self._carried)
                            return Begun(fold, saved.manifest.next_offset, saved)
                        if not await go_on():
                            return None
            except BrokenSnapshot as error:
                self.pass_over(saved, str(error))
        try:
            return Begun(Fold(self._lane, carried=self._carried))
        except UnknownRules as error:
            raise RulesUnknown(self._lane, error.version, error.program) from error

    def pass_over(self, saved: Saved, reason: str) -> None:
        """Skip a snapshot that cannot be used."""
        if saved.offset not in self._unfit:
            _log.warning("a snapshot is passed over", lane=self._lane, offset=saved.offset, reason=reason)
        self._unfit.add(saved.offset)

    async def _best(self, first: int, target: int) -> Saved | None:
        def is_unfit(saved: Saved) -> bool:
            reason = reason_against(saved.manifest, self._lane, self._epoch, first, target, self._carried)
            if reason is not None:
                self.pass_over(saved, reason)
            return saved.offset in self._unfit

        find = self._snapshots.oldest if self._from_log else self._snapshots.newest
        return await find(self._lane, is_unfit)


async def beginning(
    kafka: Kafka, lane: int, first: int, target: int, carried: Mapping[int, Rules] = RULES
) -> Begun:
    """The same for tools, of a log that begins at `first`. Raises LogTruncated, RulesUnknown, KafkaError."""
    epoch = (await read_epochs(kafka))[RAW.name].epoch
    snapshots = Snapshots(kafka)
    await snapshots.start()
    try:
        found = Beginning(snapshots, lane, epoch, carried=carried, from_log=False)
        begun = await found.find(first, target, _go_on)
    finally:
        await snapshots.stop()
    if begun is None or begun.next_offset < first:
        raise LogTruncated(lane, first)
    return begun


async def _go_on() -> bool:
    return True
