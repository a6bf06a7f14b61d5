"""How the projector is, for health and heartbeats, and how it waits out a trouble."""

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
    """`database` and `kafka`: what is wrong with them, None when well. `settled`: it has taken up what the group
    gave it. `alive_at`: monotonic time of its last step."""

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
        """What is wrong with it now, None: nothing. Logged when it changes."""
        if wrong == self.database:
            return
        if wrong is not None:
            _log.warning("database unavailable", error=wrong)
        else:
            _log.info("the database is in use again")
        self.database = wrong

    def checks(self) -> Health:
        """Health checks over it."""
        health = Health()
        health.add("database", lambda: self.database)
        health.add("kafka", lambda: self.kafka)
        health.add("positions", lambda: None if self.settled else Starting("the positions are not settled yet"))
        health.add("progress", self._progress)
        return health

    def details(self) -> dict[str, Scalar]:
        """For a heartbeat."""
        return {"records": self.records, "rows": self.rows, "dead_letters": self.dead_letters}

    def _progress(self) -> str | None:
        still = time.monotonic() - self.alive_at
        return f"no step for {still:.0f} s" if still > STUCK_SECONDS else None


class Patience:
    """Waits ever longer between tries, up to a limit; what is told is logged each time it changes."""

    def __init__(self) -> None:
        self._backoff = Backoff(PROJECTOR)
        self._said = ""

    def tell(self, what: str, error: Exception) -> None:
        """Say why the next wait is."""
        if str(error) != self._said:
            self._said = str(error)
            _log.warning(what, error=str(error))

    async def wait(self, stop: Stop) -> None:
        """Wait for the next try, or until stop is asked."""
        await stop.wait(self._backoff.next_seconds())
