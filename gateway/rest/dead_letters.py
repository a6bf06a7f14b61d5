"""Dead letters: `/api/v1/dlq`. Records that stages could not process, and what to do with them.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from gateway.access.tokens import Identity
from gateway.log.dead_letters import REACH, REDRIVABLE, DeadLetterQueues, NotFromHere, QueueTaken
from gateway.rest.access import Guard
from gateway.rest.body import Closed, small_json
from gateway.rest.declared import unknown
from gateway.rest.described import errors
from gateway.rest.edge import ApiError
from runtime.dlq.errors import NoLetter
from runtime.dlq.lines import letter_line, queue_line, whole_letter
from runtime.dlq.redriving import Outcome
from schemas.dead_letters import Letter
from schemas.ids import MAX_SAFE
from schemas.topics import DLQ_SUFFIX, GUARDED, Topic, dlq_of

MAX_NAME = 249
SOURCES = {topic.name: topic for topic in GUARDED}


class QueueShown(BaseModel):
    """The queue of a topic, within the offsets that were searched. `oldest`, `newest`: when its open letters arrived;
    `errors`: their number by class of error."""

    topic: str
    queue: str
    open: int
    oldest: str | None
    newest: str | None
    errors: dict[str, int]
    redriven_here: bool = Field(description="false: its letters are redriven at the command line")


class LetterShown(BaseModel):
    """A letter without its contents. `topic`, `partition`, `original_offset`, `original_at`: the position of its record;
    null if the letter was written by something else. `cut`: only the beginning of its `size` bytes is kept."""

    offset: int
    at: str
    topic: str | None
    partition: int | None
    original_offset: int | None
    original_at: str | None
    error_type: str
    error: str
    attempts: int
    size: int
    cut: bool
    state: Literal["open", "redriven", "rescan_asked", "discarded"]
    closed_at: str | None
    closed_by: str | None
    reason: str | None


class QueuesShown(BaseModel):
    """Every existing queue; and the letters of the requested one, the newest first."""

    queues: list[QueueShown]
    letters: list[LetterShown]
    looked_through: int = Field(
        description="number of newest offsets of each queue that were searched for letters"
    )


class BytesShown(BaseModel):
    """Bytes: as text if they are UTF-8, else in base64."""

    text: str | None = None
    b64: str | None = None


class WholeLetterShown(BaseModel):
    """A letter with the key, headers and value of its record. A value null is a tombstone."""

    letter: LetterShown
    key: BytesShown | None
    headers: list[tuple[str, BytesShown]]
    value: BytesShown | None


class DoneShown(BaseModel):
    """What was done. `to`: the topic and partition that it was written to, or the root for which a scan was requested;
    `why`: the reason for `nothing`, if nothing was left to do."""

    offset: int
    done: Literal["write_back", "rescan", "discard", "nothing"]
    to: str
    why: str


class DiscardBody(Closed):
    """The reason, for people who read the queue."""

    reason: str = Field("", max_length=1_024)


def router(queues: DeadLetterQueues, guard: Guard) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/dlq", tags=["dead letters"])
    Admin = Annotated[Identity, Depends(guard.allowed("manage:dead_letters"))]
    Name = Annotated[str, Path(max_length=MAX_NAME, description="of the topic, or of its queue")]
    Partition = Annotated[int, Path(ge=0, lt=MAX_SAFE, description="of the queue; it has one")]
    Offset = Annotated[int, Path(ge=0, lt=MAX_SAFE, description="of the letter, in the queue")]

    @routes.get("")
    async def listed(
        _admin: Admin,
        topic: Annotated[str | None, Query(max_length=MAX_NAME, description="letters of its queue")] = None,
        closed: Annotated[bool, Query(description="handled letters instead of the open ones")] = False,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> QueuesShown:
        """Every queue with its open letters, and the newest letters of one."""
        source = None if topic is None else SOURCES.get(topic.removesuffix(DLQ_SUFFIX))
        if topic is not None and source is None:
            raise unknown("topic", "no topic with dead letters", SOURCES)
        found = await queues.newest()
        letters = [] if source is None else [x for x in found.get(source, ()) if (x.closed is not None) == closed]
        return QueuesShown(
            queues=[_queue(one, queues.name(dlq_of(one)), of) for one, of in found.items()],
            letters=[LetterShown.model_validate(_members(letter_line(x))) for x in reversed(letters[-limit:])],
            looked_through=REACH,
        )

    @routes.get("/{topic}/{partition}/{offset}")
    async def shown(_admin: Admin, topic: Name, partition: Partition, offset: Offset) -> WholeLetterShown:
        """A whole letter: where it came from, why, and its record byte for byte."""
        letter = await queues.letter(_source(topic, partition), offset)
        if letter is None:
            raise _no_letter()
        return WholeLetterShown.model_validate(_members(whole_letter(letter)))

    @routes.post("/{topic}/{partition}/{offset}/redrive", responses=errors(409))
    async def redrive(admin: Admin, topic: Name, partition: Partition, offset: Offset) -> DoneShown:
        """Write the record back to the topic and partition that it came from, byte for byte; for a record of the change log,
        request a scan of its root. Done once, however often it is called. Answers 409 if that is not possible, if it must be
        done at the command line, and while somebody else works on the same queue."""
        try:
            outcome = await queues.redrive(_source(topic, partition), offset, admin.username)
        except NoLetter as error:
            raise _no_letter() from error
        except NotFromHere as error:
            raise ApiError(409, "not_from_here", str(error)) from error
        except QueueTaken as error:
            raise ApiError(409, "conflict", str(error)) from error
        if outcome.does == "nothing" and not outcome.settled:
            raise ApiError(409, "cannot_be_redriven", outcome.why[:1_000])
        return _done(outcome)

    @routes.post(
        "/{topic}/{partition}/{offset}/discard", dependencies=[Depends(small_json)], responses=errors(409)
    )
    async def discard(
        admin: Admin, topic: Name, partition: Partition, offset: Offset, body: DiscardBody
    ) -> DoneShown:
        """Close a letter without redriving it: it stays in the queue. Answers 409 while somebody else works on the same
        queue."""
        try:
            return _done(await queues.discard(_source(topic, partition), offset, admin.username, body.reason))
        except NoLetter as error:
            raise _no_letter() from error
        except QueueTaken as error:
            raise ApiError(409, "conflict", str(error)) from error

    return routes


def _source(name: str, partition: int) -> Topic:
    source = SOURCES.get(name.removesuffix(DLQ_SUFFIX))
    if source is None or partition != 0:
        raise ApiError(404, "not_found", "no such dead letter queue")
    return source


def _no_letter() -> ApiError:
    return ApiError(404, "not_found", "no such letter")


def _queue(topic: Topic, queue: str, letters: list[Letter]) -> QueueShown:
    line: dict[str, Any] = _members(queue_line(topic.name, queue, letters))
    return QueueShown.model_validate({**line, "redriven_here": topic in REDRIVABLE})


def _done(outcome: Outcome) -> DoneShown:
    return DoneShown.model_validate(
        {"offset": outcome.letter, "done": outcome.does, "to": outcome.to, "why": outcome.why}
    )


def _members(struct: object) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(struct)
    return members
