"""The topics of the log: `GET /api/v1/topics`.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from gateway.access.tokens import Identity
from gateway.log.topics import LogTopics, TopicNow
from gateway.rest.access import Guard


class PartitionShown(BaseModel):
    """The offsets of a partition: from `earliest` to before `end`. Some of them have no record."""

    partition: int
    earliest: int
    end: int


class GroupShown(BaseModel):
    """A consumer group's position: the next offset by partition, and its lag in offsets. Readers without a group (gateways,
    taps) are not listed."""

    group: str
    next_offsets: dict[int, int]
    lag: int


class TopicShown(BaseModel):
    """A declared topic in its present state."""

    name: str
    key: str
    writer: str
    readers: str
    purpose: str
    cleanup: Literal["delete", "compact"]
    retention_seconds: int | None = Field(description="as declared; null: for ever")
    partitions: list[PartitionShown] = Field(
        description="empty: the topic does not exist, or the gateway may not describe it"
    )
    groups: list[GroupShown]


class TopicsShown(BaseModel):
    """All topics; `name` is without the installation's prefix."""

    topics: list[TopicShown]


def router(topics: LogTopics, guard: Guard) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/api/v1", tags=["system"])

    @routes.get("/topics")
    async def shown(_admin: Annotated[Identity, Depends(guard.allowed("inspect:gateway"))]) -> TopicsShown:
        """Every topic: its contents, its retention, and the positions of its readers; at most some seconds old."""
        return TopicsShown(topics=[_shown(topic) for topic in await topics.now()])

    return routes


def _shown(now: TopicNow) -> TopicShown:
    topic = now.topic
    return TopicShown(
        name=topic.name,
        key=topic.key,
        writer=topic.writer,
        readers=topic.readers,
        purpose=topic.purpose,
        cleanup=topic.cleanup,
        retention_seconds=None if topic.retention is None else int(topic.retention.total_seconds()),
        partitions=[
            PartitionShown(partition=p, earliest=now.earliest[p], end=end) for p, end in sorted(now.end.items())
        ],
        groups=[GroupShown(group=g.group, next_offsets=g.next_offsets, lag=g.lag) for g in now.groups],
    )
