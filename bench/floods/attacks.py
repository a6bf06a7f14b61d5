"""The table of attacks: what is sent, what the gateway answers, and what it may cost the gateway.

Each is repeated until its time is over, on several connections at once.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

from bench.floods.peer import CLOSED, OPEN, Peer, Target, frame, handshake

MEMORY_MB = 64.0
HEALTH_SECONDS = 0.5
END_SECONDS = 10.0
"""For so long after its time an attack may still wait for its answer."""

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = LOGIN + b"Transfer-Encoding: chunked\r\n\r\n"

Answers = Counter[str]
Run = Callable[[Target, float], Awaitable[Answers]]


@dataclass(frozen=True, slots=True)
class Attack:
    """`answers`: the answers that attackers may receive; `must`: those that some of them must receive, because otherwise
    the bound was not reached. `seconds`: its least duration."""

    name: str
    sent: str
    answers: tuple[str, ...]
    run: Run
    must: tuple[str, ...] = ()
    seconds: float = 0.0
    memory_mb: float = MEMORY_MB
    health_seconds: float = HEALTH_SECONDS


# Ways to attack.


async def pour(
    target: Target, until: float, *, first: Callable[[Target], bytes], then: bytes = b"", connections: int = 8,
    deaf: bool = False, receive_bytes: int = 0, frames: bool = False,
    patient: bool = False,
) -> Answers:  # fmt: skip
    """On each connection: `first`, then `then` repeatedly until an answer comes; then a new connection. `deaf`: nothing is
    read before the end. `frames`: `then` is sent once the handshake is accepted. `patient`: at the end, do not wait any
    longer for an answer."""
    answers: Answers = Counter()
    connection = count()

    async def one() -> None:
        while time.monotonic() < until:
            try:
                peer = await Peer.connect(target.attacked_by(next(connection)), receive_bytes=receive_bytes)
            except OSError:
                answers[CLOSED] += 1
                await asyncio.sleep(0.05)
                continue
            await whole(peer)
            peer.end()

    async def whole(peer: Peer) -> None:
        if not await peer.send(first(target), until) or (frames and not await peer.accepted(until)):
            return
        end = until if patient else until + END_SECONDS
        receiving = None if deaf else asyncio.create_task(peer.receive(end, answered=True))
        while (
            then and (receiving is None or not receiving.done()) and await peer.send(then, until if deaf else end)
        ):
            pass
        if receiving is None:
            receiving = asyncio.create_task(peer.receive(end, answered=True))
        await asyncio.wait([receiving], timeout=max(0.0, end - time.monotonic()))
        answers[peer.answer()] += 1
        receiving.cancel()

    await asyncio.gather(*(one() for _ in range(connections)))
    return answers


async def drip(
    target: Target, until: float, *, first: bytes, then: bytes, every: float, connections: int = 50
) -> Answers:
    """Slowly: `first`, then `then` at intervals, until the connection is closed."""
    answers: Answers = Counter()

    async def one() -> None:
        peer = await Peer.connect(target)
        receiving = asyncio.create_task(peer.receive(until + END_SECONDS))
        going = not first or await peer.send(first, until)
        while going and not receiving.done():
            await asyncio.wait([receiving], timeout=every)
            going = (
                not receiving.done() and (not then or await peer.send(then, until)) and time.monotonic() < until
            )
        await asyncio.wait([receiving], timeout=max(0.0, until - time.monotonic()))
        answers[peer.answer() if peer.ended else OPEN] += 1
        receiving.cancel()
        peer.end()

    await asyncio.gather(*(one() for _ in range(connections)))
    return answers


async def crowd(target: Target, until: float, *, connections: int) -> Answers:
    """Many idle connections at once: those beyond the bound are answered."""
    answers: Answers = Counter()
    peers: list[Peer] = []
    seconds = until - time.monotonic()
    for _ in range(connections):
        try:
            peers.append(await Peer.connect(target))
        except OSError:
            answers[CLOSED] += 1
    # connecting may have taken longer than the attack lasts: its time begins with the first answer
    end = time.monotonic() + seconds + END_SECONDS
    receiving = [asyncio.create_task(peer.receive(end)) for peer in peers]
    await asyncio.wait(receiving, timeout=END_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait(receiving, timeout=seconds)
    for peer, task in zip(peers, receiving, strict=True):
        answers[peer.answer()] += 1
        task.cancel()
        peer.end()
    return answers


# What is sent.


def _always(data: bytes) -> Callable[[Target], bytes]:
    return lambda _: data


def _invalid(target: Target) -> bytes:
    """A handshake with an invalid token, another each time: repeated ones are answered later and later."""
    return handshake(f"/ws?token={secrets.token_hex(8)}") + b"\r\n"


def _invalid_with(*more: str, end: bytes = b"\r\n") -> Callable[[Target], bytes]:
    return lambda _: handshake(f"/ws?token={secrets.token_hex(8)}", *more) + end


def _member(target: Target) -> bytes:
    return handshake(f"/ws?token={target.token}") + b"\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


FEW_HEADERS = tuple(f"X-{n}: y" for n in range(125))  # beside the four of a handshake
COOKIE_32 = f"Cookie: {'c' * 32_000}"
COOKIE_60 = f"Cookie: {'c' * 60_000}"
EMPTY_FRAGMENTS = frame(1, fin=False) + 2_000 * frame(0, fin=False)
PONGS = 2_000 * frame(10, b"x" * 8)
PINGS = 200 * frame(9, b"x" * 125)
CRUMBS = frame(1, b"{", fin=False) + 2_000 * frame(0, b" ", fin=False)
MESSAGES = 500 * frame(1, b"{}")

ATTACKS: tuple[Attack, ...] = (
    Attack("headers", "small headers without end", ("431",),
           partial(pour, first=_always(GET), then=b"a:b\r\n" * 4_000)),
    Attack("header", "one header without end", ("431",),
           partial(pour, first=_always(GET + b"a: "), then=b"b" * 32_768)),
    Attack("full heads", "900 requests with 48 kB of headers that do not end", ("503", "429", OPEN),
           partial(pour, first=_always(GET + (b"a: " + b"b" * 8_000 + b"\r\n") * 6), connections=900, patient=True),
           must=("503",)),
    Attack("full bodies", "900 requests with 63 kB of body that do not end", ("503", "429", OPEN),
           partial(pour, first=_always(LOGIN + b"Content-Length: 65000\r\n\r\n" + b"x" * 63_000), connections=900,
                   patient=True), must=("503",)),
    Attack("address", "an address without end", ("414",),
           partial(pour, first=_always(b"GET /"), then=b"a" * 32_768)),
    Attack("blank lines", "empty lines instead of a request", ("400",),
           partial(pour, first=_always(b"\r\n"), then=b"\r\n" * 4_000)),
    Attack("no HTTP", "bytes that are no request", ("400",),
           partial(pour, first=_always(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), then=b"\0" * 4_096)),
    Attack("trailers", "a chunked body, then trailers without end", ("431",),
           partial(pour, first=_always(CHUNKED + b"0\r\n"), then=b"a:b\r\n" * 4_000)),
    Attack("trailer", "one trailer without end", ("413",),
           partial(pour, first=_always(CHUNKED + b"0\r\na: "), then=b"b" * 32_768)),
    Attack("chunks", "a chunked body without end", ("413",),
           partial(pour, first=_always(CHUNKED), then=_chunk(b"x" * 8_192) * 4)),
    Attack("crumbs", "a chunked body of single bytes", ("413",),
           partial(pour, first=_always(CHUNKED), then=_chunk(b"x") * 4_000)),
    Attack("chunk extension", "a chunk with an extension without end", ("413",),
           partial(pour, first=_always(CHUNKED + b"1;"), then=b"e" * 32_768)),
    Attack("body", "a body of 1 GB", ("413",),
           partial(pour, first=_always(LOGIN + b"Content-Length: 1000000000\r\n\r\n"), then=b"x" * 32_768)),
    Attack("pipelined", "requests without end, answers never read", (OPEN, "200"),
           partial(pour, first=_always(GET + b"\r\n"), then=(GET + b"\r\n") * 200, deaf=True, receive_bytes=4_096)),
    Attack("page unread", "requests for the page's largest file, answers never read", (OPEN, "200"),
           partial(pour, first=_always(b""), then=b"GET /app.js HTTP/1.1\r\nHost: x\r\n\r\n" * 50, deaf=True,
                   receive_bytes=4_096, connections=900)),
    Attack("other protocol", "requests to change to HTTP/2", ("200",),
           partial(pour, first=_always(GET + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n"))),
    Attack("crowd", "1,500 connections from one address", ("429", OPEN, CLOSED),
           partial(crowd, connections=1_500), must=("429", OPEN)),
    Attack("handshake headers", "a handshake with 130 headers", ("431",),
           partial(pour, first=_invalid_with(*FEW_HEADERS))),
    Attack("handshake cookies", "a handshake with 32 kB of cookies and an invalid token", ("4001",),
           partial(pour, first=_invalid_with(COOKIE_32))),
    Attack("handshake cookie", "a handshake with 60 kB of cookies", ("431",),
           partial(pour, first=_invalid_with(COOKIE_60))),
    Attack("handshake body", "a handshake with a body", ("400",),
           partial(pour, first=_invalid_with("Content-Length: 5", end=b"\r\nhello"))),
    Attack("handshake chunked", "a handshake with a chunked body", ("400",),
           partial(pour, first=_invalid_with("Transfer-Encoding: chunked", end=b"\r\n5\r\nhello\r\n0\r\n\r\n"))),
    Attack("early frames", "frames before the handshake's answer", ("400", "4001"),
           partial(pour, first=_invalid_with(end=b"\r\n" + frame(9) * 100))),
    Attack("strangers", "invalid tokens, a new one each time", ("4001",),
           partial(pour, first=_invalid)),
    Attack("stranger's fragments", "after a 4001: empty fragments without end", ("4001",),
           partial(pour, first=_invalid, then=EMPTY_FRAGMENTS, frames=True)),
    # a client that reads nothing until the gateway closes the connection after its last frame may find it reset
    Attack("stranger's pings", "after a 4001: pings without end, pongs never read", ("4001", CLOSED),
           partial(pour, first=_invalid, then=PINGS, deaf=True, frames=True)),
    Attack("fragments", "signed in: empty fragments without end", ("4009",),
           partial(pour, first=_member, then=EMPTY_FRAGMENTS, frames=True)),
    Attack("small fragments", "signed in: a message of single bytes", ("4009",),
           partial(pour, first=_member, then=CRUMBS, frames=True)),
    Attack("pongs", "signed in: unsolicited pongs", ("4009",),
           partial(pour, first=_member, then=PONGS, frames=True)),
    Attack("pings", "signed in: pings without end, pongs never read", ("4009", CLOSED),
           partial(pour, first=_member, then=PINGS, deaf=True, frames=True)),
    Attack("messages", "signed in: messages without end", ("4009",),
           partial(pour, first=_member, then=MESSAGES, frames=True)),
    Attack("message", "signed in: one message without end", ("1009",),
           partial(pour, first=_member, then=frame(1, b"x" * 60_000, fin=False) + frame(0, b"x" * 60_000, fin=False),
                   frames=True)),
    Attack("silence", "a connection that sends nothing", (CLOSED,),
           partial(drip, first=b"", then=b"", every=1.0), seconds=12.0),
    Attack("half a request", "a request that does not end", ("408",),
           partial(drip, first=GET, then=b"a: b\r\n", every=1.0), seconds=12.0),
    Attack("half a handshake", "a handshake that does not end", ("408",),
           partial(drip, first=handshake("/ws"), then=b"", every=1.0), seconds=12.0),
    Attack("slow body", "a body of a byte a second", ("408",),
           partial(drip, first=LOGIN + b"Content-Length: 1000\r\n\r\n", then=b"x", every=1.0), seconds=12.0),
    Attack("idle", "after an answer an empty line every second", ("200",),
           partial(drip, first=GET + b"\r\n", then=b"\r\n", every=1.0), seconds=12.0),
)  # fmt: skip
