"""Finds which of the rights that `schemas.acls` declares for a component are missing at the brokers.

Kafka clients do not report this well: some fail at once, some wait silently, some retry thousands of times a second, and
none names the missing right. So the brokers are queried directly. The process decides what to do about the result; nothing
is granted here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from runtime.errors import NotAllowed, NotProvisioned
from runtime.kafka import Kafka
from runtime.kafka_security import subject
from runtime.log_reading import reader
from runtime.topic_ids import SeenTopics, look
from schemas.acls import Acl, Component, Operation, acls_of
from schemas.topics import Topic

REFUSED = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed)
"""What clients raise if a right is missing, if they raise anything."""
ASK_SECONDS = 10.0
_COORDINATORS = {"group": CoordinationType.GROUP, "transactional-id": CoordinationType.TRANSACTION}


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one component. `ends`: the full suffixes of names that the table declares by prefix."""

    kafka: Kafka
    component: Component
    ends: Mapping[str, str] = field(default_factory=dict)

    async def missing(self, client: AIOKafkaClient) -> list[Acl]:
        """The rights that our principal lacks. A topic that does not exist lacks nothing. `client`: of any started consumer,
        producer or administrator. Raises KafkaError."""
        wanted = [
            replace(acl, principal=principal(self.kafka))
            for acl in acls_of(self.component, self.kafka.settings.topic_prefix)
        ]
        seen = await look(client, {acl.name for acl in wanted if acl.resource == "topic"})
        return [acl for acl in wanted if not await self._given(client, acl, seen)]

    async def explain(self, error: KafkaError) -> NotAllowed:
        """Turn a client's authorization error into one that names the missing rights. If the brokers do not answer, or
        report that nothing is missing, the client's own message is used."""
        try:
            async with asyncio.timeout(ASK_SECONDS), reader(self.kafka) as consumer:
                if missing := await self.missing(consumer._client):
                    return NotAllowed(describe(missing))
        except (KafkaError, OSError, TimeoutError):
            pass
        return NotAllowed(f"{principal(self.kafka)} was refused: {error}")

    async def _given(self, client: AIOKafkaClient, acl: Acl, seen: SeenTopics) -> bool:
        if acl.resource == "topic":
            return not seen.forbids(acl.name, acl.operation)
        end = next((end for begin, end in self.ends.items() if acl.name.endswith(begin)), "")
        try:  # a principal that may use a group or a transactional id may look up its coordinator
            await client.coordinator_lookup(_COORDINATORS[acl.resource], acl.name + end)
        except REFUSED:
            return False
        except KafkaError:  # no coordinator now: nothing is known about the right
            return True
        return True


def principal(kafka: Kafka) -> str:
    """Our principal as the brokers name it. It may differ if the brokers map names and no setting gives the result."""
    of = kafka.settings
    if of.principal is not None:
        return f"User:{of.principal}"
    if of.security_protocol.startswith("SASL"):
        return f"User:{of.sasl_oauthbearer_client_id if kafka.tokens is not None else of.sasl_username}"
    return f"User:{subject(of) or 'ANONYMOUS'}"


def describe(missing: Iterable[Acl]) -> str:
    """Missing rights as text."""
    return "; ".join(f"{acl.principal} may not {acl.operation} {acl.resource} {acl.name}" for acl in missing)


async def check_topics(kafka: Kafka, client: AIOKafkaClient, operation: Operation, *topics: Topic) -> None:
    """Raise NotProvisioned if a topic does not exist, and NotAllowed if we lack the right to this operation on it: clients
    would silently wait. Raises KafkaError."""
    seen = await look(client, map(kafka.name, topics))
    for topic in topics:
        name = kafka.name(topic)
        if seen.forbids(name, operation):
            raise not_allowed(kafka, operation, topic)
        if seen.topics.get(name) is None and name not in (await client.fetch_all_metadata()).topics():
            raise NotProvisioned(name)


def not_allowed(kafka: Kafka, operation: Operation, topic: Topic) -> NotAllowed:
    """The error for a missing right on a topic."""
    return NotAllowed(describe([Acl(principal(kafka), "topic", kafka.name(topic), "literal", operation)]))
