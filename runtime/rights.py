"""Which of the rights that `schemas.acls` declares for a component the brokers do not give us now.

Clients do not tell it: some fail at once, some wait without a word, some ask thousands of times a second, and the right
that is missing is named by none. So the brokers are asked outright. What follows from the answer is the process's own
affair; nothing is granted here.
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
"""What clients raise where a right is missing, if they raise anything."""
ASK_SECONDS = 10.0
_COORDINATORS = {"group": CoordinationType.GROUP, "transactional-id": CoordinationType.TRANSACTION}


@dataclass(frozen=True, slots=True)
class Rights:
    """Of one component. `ends`: how those of our names end that the table gives by their beginnings."""

    kafka: Kafka
    component: Component
    ends: Mapping[str, str] = field(default_factory=dict)

    async def missing(self, client: AIOKafkaClient) -> list[Acl]:
        """Those that we do not have, for the principal that we are. A topic that is not there lacks nothing.
        `client`: of any started consumer, producer or administrator. Raises KafkaError."""
        wanted = [
            replace(acl, principal=principal(self.kafka))
            for acl in acls_of(self.component, self.kafka.settings.topic_prefix)
        ]
        seen = await look(client, {acl.name for acl in wanted if acl.resource == "topic"})
        return [acl for acl in wanted if not await self._given(client, acl, seen)]

    async def told(self, error: KafkaError) -> NotAllowed:
        """A client's error of this kind as what is missing; in its own words where the brokers say that nothing is, or do
        not answer."""
        try:
            async with asyncio.timeout(ASK_SECONDS), reader(self.kafka) as consumer:
                if missing := await self.missing(consumer._client):
                    return NotAllowed(in_words(missing))
        except (KafkaError, OSError, TimeoutError):
            pass
        return NotAllowed(f"{principal(self.kafka)} was refused: {error}")

    async def _given(self, client: AIOKafkaClient, acl: Acl, seen: SeenTopics) -> bool:
        if acl.resource == "topic":
            return not seen.forbids(acl.name, acl.operation)
        end = next((end for begin, end in self.ends.items() if acl.name.endswith(begin)), "")
        try:  # whoever may use a group or a transaction may be told who coordinates it
            await client.coordinator_lookup(_COORDINATORS[acl.resource], acl.name + end)
        except REFUSED:
            return False
        except KafkaError:  # no coordinator now: that says nothing of the right
            return True
        return True


def principal(kafka: Kafka) -> str:
    """Who the brokers take us for, as they write it, unless they map names otherwise and no setting says how."""
    of = kafka.settings
    if of.principal is not None:
        return f"User:{of.principal}"
    if of.security_protocol.startswith("SASL"):
        return f"User:{of.sasl_oauthbearer_client_id if kafka.tokens is not None else of.sasl_username}"
    return f"User:{subject(of) or 'ANONYMOUS'}"


def in_words(missing: Iterable[Acl]) -> str:
    """Rights that are missing, for people."""
    return "; ".join(f"{acl.principal} may not {acl.operation} {acl.resource} {acl.name}" for acl in missing)


async def check_topics(kafka: Kafka, client: AIOKafkaClient, operation: Operation, *topics: Topic) -> None:
    """Raise NotProvisioned where one was never made, and NotAllowed where we may not do this with it: clients by themselves
    wait for it, and say nothing. Raises KafkaError."""
    seen = await look(client, map(kafka.name, topics))
    for topic in topics:
        name = kafka.name(topic)
        if seen.forbids(name, operation):
            raise not_allowed(kafka, operation, topic)
        if seen.topics.get(name) is None and name not in (await client.fetch_all_metadata()).topics():
            raise NotProvisioned(name)


def not_allowed(kafka: Kafka, operation: Operation, topic: Topic) -> NotAllowed:
    """That we may not do this with a topic."""
    return NotAllowed(in_words([Acl(principal(kafka), "topic", kafka.name(topic), "literal", operation)]))
