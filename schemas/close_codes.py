"""WebSocket close codes: one table; gateway, docs and pages read it (RFC 6455 section 7.4 and ours)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CloseCode:
    """`reason` is sent in the close frame, empty if the WebSocket library sets its own; `come_back`: a client should
    reconnect."""

    code: int
    reason: str
    meaning: str
    come_back: bool


NORMAL = CloseCode(1000, "", "normal end, by the client", False)
PROTOCOL_ERROR = CloseCode(1002, "", "a frame that breaks the WebSocket protocol", False)
BINARY = CloseCode(1003, "text frames only", "a binary frame was sent", False)
BAD_UTF8 = CloseCode(1007, "invalid UTF-8", "a text frame was not UTF-8", False)
TOO_BIG = CloseCode(1009, "", "a message of more than 64 KiB", False)
NO_PONG = CloseCode(1011, "no pong", "the client stopped answering pings", True)
RESTART = CloseCode(1012, "service restart", "the gateway drains or restarts", True)
OVERLOAD = CloseCode(1013, "try again later", "too many sockets of this session", True)
INVALID_TOKEN = CloseCode(4001, "invalid token", "no token, or one that does not hold", False)
TOKEN_EXPIRED = CloseCode(4002, "token expired", "the token ended while connected", True)
REVOKED = CloseCode(4003, "revoked", "the session was revoked", False)
TOO_SLOW = CloseCode(4008, "too slow", "the client took nothing of what was sent for too long", True)
RATE_LIMITED = CloseCode(4009, "rate limited", "too many messages or frames", True)
NO_AUTH = CloseCode(4012, "no authentication", "no token came in the first message, or not in time", False)
GAP = CloseCode(4011, "gap", "a gap with on_gap=fail", True)

CLOSE_CODES: tuple[CloseCode, ...] = (
    NORMAL, PROTOCOL_ERROR, BINARY, BAD_UTF8, TOO_BIG, NO_PONG, RESTART, OVERLOAD, INVALID_TOKEN, TOKEN_EXPIRED, REVOKED,
    TOO_SLOW, RATE_LIMITED, GAP, NO_AUTH,
)  # fmt: skip
