"""The embedded broker alone, with a log that nothing writes to and nothing is removed from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cli.moving.errors import NoLog, NotEmbedded
from cli.settings import Settings
from cli.up.output import SetupOutput
from cli.up.platform import embedded_broker
from cli.up.secret_file import keep
from cli.up.state import StateFolder, owned
from runtime.kafka import Kafka
from schemas.acls import OPERATOR


def check_there(settings: Settings) -> None:
    """Return if there is an embedded log. Raises NotEmbedded, NoLog."""
    if not settings.kafka.embedded:
        raise NotEmbedded
    folder = settings.state_dir.resolve()
    if not (folder / "kafka" / "data").is_dir():
        raise NoLog(folder)


def leave(settings: Settings, target: Kafka) -> None:
    """See that `catalogizer up` does not continue the log here: two logs would have other records at the same offsets. After
    a kill right then the copy is incomplete, and moving it again continues. Raises OSError."""
    keep(StateFolder(settings.state_dir.resolve()).moved_log, str(target.settings.bootstrap_servers))


@contextmanager
def at_rest(settings: Settings) -> Iterator[Kafka]:
    """Clients of the state folder's broker, which runs for the block; `catalogizer up` cannot run meanwhile. Raises
    StateInUse, UpError, OSError."""
    with owned(settings.state_dir) as state:
        broker = embedded_broker(settings, state, SetupOutput(), still=True)
        broker.prepare()
        try:
            broker.start()
            broker.wait_ready()
            given = {"topic_prefix": settings.kafka.topic_prefix, "lanes": settings.kafka.lane_count}
            yield Kafka(broker.settings(OPERATOR).model_copy(update=given), "move-log")
        finally:
            broker.stop()
