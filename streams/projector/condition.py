"""The projector's state for health and heartbeats, and its waiting during outages."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from runtime import log
from runtime.health import Health, Starting
from runtime.lifecycle import Stop
from runtime.waits import PROJECTOR, Backoff
from schemas.system import Scalar

STUCK_SECONDS = 30.0

_log = log.get(__name__)


@dataclass(slots=True)
class ProjectorCondition:
    """`database` and `kafka`: what is wrong with them, None when well. `settled`: the positions of the assigned
    partitions are settled. `alive_at`: monotonic time of its last step."""

    database: str | None = None
    kafka: str | None = None
    settled: bool = False
    alive_at: float = field(default_factory=time.monotonic)
    records: int = 0
    rows: int = 0
    dead_letters: int = 0

    def alive(self) -> None:
        """The flow has made a step."""
        self.alive_at = time.monotonic()

    def database_is(self, wrong: str | None) -> None:
        """Set what is wrong with the database, None: nothing. Logged when it changes."""
        if wrong == self.database:
            return
        if wrong is not None:
            _log.warning("database unavailable", error=wrong)
        else:
            _log.info("the database is in use again")
        self.database = wrong

    def checks(self) -> Health:
        """The health checks."""
        health = Health()
        health.add("database", lambda: self.database)
        health.add("kafka", lambda: self.kafka)
        health.add("positions", lambda: None if self.settled else Starting("the positions are not settled yet"))
        health.add("progress", self._progress)
        return health

    def details(self) -> dict[str, Scalar]:
        """Details for a heartbeat."""
        return {"records": self.records, "rows": self.rows, "dead_letters": self.dead_letters}

    def _progress(self) -> str | None:
        still = time.monotonic() - self.alive_at
        return f"no step for {still:.0f} s" if still > STUCK_SECONDS else None


class Patience:
    """Waits with growing pauses between attempts, up to a limit; the reported error is logged each time it changes."""

    def __init__(self) -> None:
        self._backoff = Backoff(PROJECTOR)
        self._said = ""

    def report(self, what: str, error: Exception) -> None:
        """Report the error that causes the next wait."""
        if str(error) != self._said:
            self._said = str(error)
            _log.warning(what, error=str(error))

    async def wait(self, stop: Stop) -> None:
        """Wait for the next attempt, or until a stop is requested."""
        await stop.wait(self._backoff.next_seconds())
