"""Kafka's metadata of topics: the id that Kafka generated when a topic was created, its number of partitions, and what the
requesting client may do with it.

aiokafka supports the metadata request up to version 5, and ids were added in version 10 (KIP-516), so that version is
defined here. The request never creates a topic. It is not sent to brokers without topic ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    KafkaError,
    NodeNotReadyError,
    NoError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from schemas.acls import Operation

_OPERATIONS: dict[Operation, int] = {"Read": 3, "Write": 4, "Describe": 8}
"""Kafka's numbers (AclOperation): the bit positions in the authorized operations of a response."""


@dataclass(frozen=True, slots=True)
class SeenTopic:
    """An existing topic. `id`: 32 hexadecimal digits; empty if the broker has none. `allowed`: what we may do with it."""

    id: str
    partitions: int
    allowed: frozenset[Operation] = frozenset()


@dataclass(frozen=True, slots=True)
class SeenTopics:
    """The result for the requested topics. `topics`: by name; None: there is no such topic. `hidden`: topics on which we
    have no right at all, so the broker does not reveal whether they exist. Both are empty for a broker without topic ids."""

    topics: dict[str, SeenTopic | None]
    hidden: frozenset[str] = frozenset()

    def forbids(self, name: str, operation: Operation) -> bool:
        """True if we may not do this with the topic. A topic that does not exist forbids nothing."""
        there = self.topics.get(name)
        return name in self.hidden or (there is not None and operation not in there.allowed)


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]
    """16 bytes."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


_NO_ID = bytes(16)
_text = CompactString("utf-8")
_none = TaggedFields


class _MetadataResponse(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", _text), ("port", Int32), ("rack", _text), ("tags", _none)),
        ),
        ("cluster_id", _text),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _text),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", _none),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", _none),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", _none),
    )


class _MetadataRequestStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", _text), ("tags", _none))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", _none),
    )


class _MetadataRequest(Request[_MetadataRequestStruct]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, names: Iterable[str]) -> None:
        self._topics: list[tuple[bytes, str, dict[int, bytes]]] = [(_NO_ID, name, {}) for name in names]

    def build(self, request_struct_class: type[_MetadataRequestStruct]) -> _MetadataRequestStruct:
        return request_struct_class(self._topics, False, False, True, {})


async def look(client: AIOKafkaClient, names: Iterable[str]) -> SeenTopics:
    """The topics of these names (on the installation) now. `client`: of any started consumer, producer or administrator. The
    result is empty with brokers that have no topic ids. Raises KafkaError."""
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known")
    try:
        answer: Any = await client.send(node, _MetadataRequest(names))
    except NotImplementedError:  # raised if the broker does not support the version
        return SeenTopics({})
    seen: dict[str, SeenTopic | None] = {}
    hidden = set()
    for code, name, id_, _internal, partitions, operations, *_ in answer.topics:
        error: type[KafkaError] = for_code(code)
        if error is UnknownTopicOrPartitionError:
            seen[name] = None
        elif error is NoError:
            allowed = frozenset(may for may, bit in _OPERATIONS.items() if operations >> bit & 1)
            seen[name] = SeenTopic("" if id_ == _NO_ID else id_.hex(), len(partitions), allowed)
        elif error is TopicAuthorizationFailedError:
            hidden.add(name)
    return SeenTopics(seen, frozenset(hidden))
