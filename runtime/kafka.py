"""The only place that constructs Kafka clients.

aiokafka's defaults are unsafe (acks=1, no idempotence, automatic commits, `latest`, `read_uncommitted`), so every
client is one of the kinds below. All consumers are `read_committed`, none commits automatically, and none continues
elsewhere when its offset no longer exists (`auto_offset_reset="none"` raises an error instead).
"""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from runtime import log
from runtime.errors import SettingsError
from runtime.kafka_pacing import PacedConsumer, PacedProducer
from runtime.kafka_security import sasl_options, tls_context, tokens_for
from runtime.kafka_tokens import Tokens
from runtime.settings import KafkaSettings
from schemas.topics import BY_NAME, Topic

OUTAGE_BACKOFF_MS = 100
COMMIT_BACKOFF_MS = 10
"""For transactional producers: a commit takes 7 to 15 ms with it, and 100 ms more with aiokafka's default."""

MAX_REQUEST_BYTES = 1_048_576
SESSIONS_TO_REJOIN = 3
"""How long a rebalance waits for a live member, in session time-outs; a dead member is removed after one. aiokafka's default
is one: a member on a busy machine that is delayed for that long would be removed, and its return would cause another
rebalance."""
LINGER_MS = 5
STOP_SECONDS = 1.0
"""How long a client may take to stop after its work has been awaited."""

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Kafka:
    """Creates clients for one installation. `component` names the process in `client.id`. Raises SettingsError if the
    settings name no brokers, or lack what their authentication mechanism needs. `tokens`: with OAUTHBEARER."""

    settings: KafkaSettings
    component: str
    tokens: Tokens | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.settings.bootstrap_servers is None:
            raise SettingsError(("kafka.bootstrap_servers: not set (CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS)",))
        object.__setattr__(self, "tokens", tokens_for(self.settings))  # the class is frozen; all clients share it

    def name(self, topic: Topic) -> str:
        """The topic's name on this installation."""
        return self.settings.topic_prefix + topic.name

    def topic(self, name: str) -> Topic:
        """The declared topic of a name on this installation. Raises KeyError for a foreign one."""
        return BY_NAME[name.removeprefix(self.settings.topic_prefix)]

    def group(self, component: str) -> str:
        """The consumer group of a component: `catalogizer.<component>`."""
        return f"{self.settings.topic_prefix}catalogizer.{component}"

    @property
    def lanes(self) -> int:
        """L."""
        return self.settings.lane_count

    def tail_consumer(self, **options: Any) -> AIOKafkaConsumer:
        """A reader without a group: assign, seek, read. Never commits."""
        return PacedConsumer(**(self._reading() | options))

    def group_consumer(
        self,
        group: str,
        *,
        instance: str | None = None,
        session_timeout_ms: int | None = None,
        assignor: object = RoundRobinPartitionAssignor,
        **options: Any,
    ) -> AIOKafkaConsumer:
        """A member of a group; offsets are committed only explicitly. `instance` makes it a static member (restarts within
        the session do not disturb the others). Assignment is eager: every partition has one owner, and aiokafka supports no
        other safe protocol. `assignor`: exactly one, because aiokafka 0.14 joins once for each assignor, and members that
        join twice in a round can get permanently out of step with each other (its pull request 1168)."""
        session = session_timeout_ms or self.settings.session_timeout_ms
        return PacedConsumer(
            group_id=group,
            group_instance_id=instance,
            session_timeout_ms=session,
            rebalance_timeout_ms=SESSIONS_TO_REJOIN * session,
            heartbeat_interval_ms=max(100, session // 5),
            max_poll_interval_ms=300_000,
            partition_assignment_strategy=(assignor,),
            **(self._reading() | options),
        )

    def producer(self, *, linger_ms: int = LINGER_MS, **options: Any) -> AIOKafkaProducer:
        """An idempotent producer, acks=all, zstd. Idempotence is not fencing: two producers can write at the same time."""
        return PacedProducer(
            enable_idempotence=True,
            linger_ms=linger_ms,
            request_timeout_ms=self.settings.request_timeout_ms,
            **(self._writing() | options),
        )

    def transactional_producer(self, transactional_id: str, **options: Any) -> AIOKafkaProducer:
        """A transactional producer. `start()` fences the previous owner of the id and waits until its last
        transaction is committed or aborted."""
        return PacedProducer(
            transactional_id=self.settings.topic_prefix + transactional_id,
            transaction_timeout_ms=self.settings.transaction_timeout_ms,
            linger_ms=0,
            request_timeout_ms=self.settings.request_timeout_ms,
            **(self._writing() | {"retry_backoff_ms": COMMIT_BACKOFF_MS} | options),
        )

    def admin(self) -> AIOKafkaAdminClient:
        """An administrative client (topics, groups)."""
        return AIOKafkaAdminClient(**self.connection())

    def _reading(self) -> dict[str, Any]:
        return self.connection() | {
            "isolation_level": "read_committed",
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "request_timeout_ms": self.settings.request_timeout_ms,
            "retry_backoff_ms": 100,
            "fetch_max_wait_ms": 500,
        }

    def _writing(self) -> dict[str, Any]:
        return self.connection() | {
            "acks": "all",
            "compression_type": "zstd",
            "max_request_size": MAX_REQUEST_BYTES,
            "retry_backoff_ms": OUTAGE_BACKOFF_MS,
        }

    def bare_client(self, server: str) -> AIOKafkaClient:
        """A low-level client of one broker, which neither reads nor writes."""
        return AIOKafkaClient(**self.connection() | {"bootstrap_servers": server})

    def connection(self) -> dict[str, Any]:
        """The connection options of every kind of client. Raises SettingsError if a certificate or key file cannot be
        read."""
        settings = self.settings
        options: dict[str, Any] = {
            "bootstrap_servers": settings.bootstrap_servers,
            "client_id": f"catalogizer-{self.component}-{socket.gethostname()}",
            "security_protocol": settings.security_protocol,
            **sasl_options(settings, self.tokens),
        }
        if "sasl_mechanism" in options:
            _in_the_clear.on_loopback = all(map(_is_loopback, (settings.bootstrap_servers or "").split(",")))
        if (context := tls_context(settings)) is not None:
            options["ssl_context"] = context
        return options


def leave_for_good(consumer: AIOKafkaConsumer) -> None:
    """Make a static member leave its group at its next stop. By default aiokafka keeps static members in the group until
    their session times out, and the group counts as active until then."""
    if consumer._coordinator is not None:
        consumer._coordinator._group_instance_id = None


async def leave_now(consumer: AIOKafkaConsumer) -> None:
    """Leave a group at once, without a commit. A static member that restarts within its session would otherwise get its
    former assignment without a check of the topics: if its topic was deleted meanwhile, it would get nothing."""
    leave_for_good(consumer)
    if consumer._coordinator is not None:
        await consumer._coordinator._maybe_leave_group()


async def rejoin(consumer: AIOKafkaConsumer) -> None:
    """Join a group again; it assigns anew if this is its leader, as a group's only member is."""
    if consumer._coordinator is not None:
        consumer._coordinator.request_rejoin()


class Stoppable(Protocol):
    """A Kafka client that can be stopped."""

    async def stop(self) -> None:
        """End it."""
        ...


async def stop_client(client: Stoppable, seconds: float = STOP_SECONDS) -> None:
    """Stop a client within `seconds`, even if Kafka cannot be reached: aiokafka's clients wait for a missing broker, and
    its consumer raises the CancelledError of its own tasks as if the caller had been cancelled. Await sends that matter
    first."""
    stopping = asyncio.ensure_future(client.stop())
    try:
        await asyncio.wait({stopping}, timeout=seconds)
    finally:
        if not stopping.done():
            stopping.cancel()
            _log.warning("client not ended in time", client=type(client).__name__)
        elif not stopping.cancelled() and (error := stopping.exception()) is not None:
            _log.warning("client ended with an error", client=type(client).__name__, error=repr(error))
    if stopping.cancelled() or not stopping.done():
        await _cut_off(client)


async def _cut_off(client: Stoppable) -> None:
    """Close the connections of a client that did not stop, and cancel the tasks that wait for answers on them."""
    match client:
        case AIOKafkaProducer():
            await client.client.close()
            if client._sender is not None:
                closing = asyncio.ensure_future(client._sender.close())
                await asyncio.wait({closing}, timeout=STOP_SECONDS)
                closing.cancel()
        case AIOKafkaConsumer():
            for task in () if client._fetcher is None else client._fetcher._pending_tasks:
                task.cancel()
            await client._client.close()
        case _:
            pass


class _InTheClear(logging.Filter):
    """Drops aiokafka's warning about a password sent unencrypted if the connection does not leave the machine."""

    on_loopback = False

    def filter(self, record: logging.LogRecord) -> bool:
        """False for that warning."""
        return not (self.on_loopback and record.msg == "Sending username and password in the clear")


_in_the_clear = _InTheClear()
logging.getLogger("aiokafka.conn").addFilter(_in_the_clear)


def _is_loopback(server: str) -> bool:
    host = server.strip().rpartition(":")[0].strip("[]")
    return host in ("localhost", "::1") or host.startswith("127.")


__all__ = [
    "ConsumerRebalanceListener",
    "Kafka",
    "Stoppable",
    "leave_for_good",
    "leave_now",
    "rejoin",
    "stop_client",
]
