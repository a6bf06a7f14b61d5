"""Attempts and the exact answers to them, row by row: who may do what, and what happens to those who may not.

Losing a right while connected, at any gateway: `test_accounts`. Connections that do not end: `test_stuck`."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from cli.up import ports
from gateway.live.sockets import CLOSE_SECONDS
from runtime.kafka import Kafka
from schemas.system import MESSAGE_CHARACTERS, TITLE_CHARACTERS, TYPE_CHARACTERS
from schemas.times import iso
from tests.support.events import films
from tests.support.forging import forge, part, read
from tests.support.gateway import PASSWORD, SECRET, Client, Gateway, gateway
from tests.support.topic import write
from tests.support.waiting import wait_until

STORM_SECONDS = 60
CHECK_MS = 5.0
"""Checking a password takes a processor longer on any machine (15 to 400 ms were measured), the rest of an answer less."""

LIMITED = "too_many_requests too many failed sign-ins; wait"
UPGRADE = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]


@pytest.fixture(scope="module")
def server(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose secret the tests know, so that they can forge everything in a token, its signature included."""
    options = {"TOKEN_SECRET": SECRET, "ALLOWED_ORIGINS": '["http://localhost:5173"]', "PING_SECONDS": "1"}
    options["SLOW_SECONDS"] = "2"
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), options)
    running.start()
    yield running
    running.kill()


@dataclass(frozen=True)
class Answer:
    """An answer, unparsed."""

    status: int
    headers: dict[str, str]
    body: str


def raw(server: Gateway, request_line: str, lines: list[str], protocol: str = "HTTP/1.1") -> Answer:
    """Send a request exactly as given; returns what came back until the end, or until the handshake is done."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall("\r\n".join([f"{request_line} {protocol}", *lines, "", ""]).encode("latin-1"))
        got = b""
        while b"\r\n\r\n" not in got and (piece := connection.recv(65_536)):
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        wanted = 0 if request_line.startswith("HEAD") else int(headers.get("content-length", "0"))
        while len(body) < wanted and (piece := connection.recv(65_536)):
            body += piece
        return Answer(int(first.split(" ")[1]), headers, body.decode("latin-1"))


def bad_tokens(token: str) -> dict[str, str]:
    now = int(time.time())
    header, claims = read(token)
    return {
        "none": "",
        "malformed": "abc",
        "two parts": "a.b",
        "not ASCII": "é.é.é",
        "wrong signature": forge(token, key="another secret of sufficient length"),
        "algorithm none": f"{part({**header, 'alg': 'none'})}.{part(claims)}.",
        "other algorithm": forge(token, header={"alg": "HS512"}),
        "asymmetric algorithm": forge(token, header={"alg": "RS256"}),
        "no kid": forge(token, header={"kid": None}),
        "unknown kid": forge(token, header={"kid": "0"}),
        "embedded key": forge(token, header={"jwk": {"kty": "oct", "k": "YQ"}}),
        "wrong issuer": forge(token, iss="somebody"),
        "wrong audience": forge(token, aud="others"),
        "no expiry": forge(token, exp=None),
        "no subject": forge(token, sub=None),
        "other subject": forge(token, sub="999"),
        "expired by 31 s": forge(token, exp=now - 31),
        "over 4 KiB": forge(token, padding="x" * 4_096),
    }


def refusal(server: Gateway, token: str) -> tuple[int, str]:
    with connect(f"{server.ws_url}?token={token}", compression=None) as socket:
        code = Client(socket).close_code()
        assert socket.close_reason is not None
        return code, socket.close_reason


BAD = sorted(bad_tokens(f"{part({'alg': 'HS256'})}.{part({})}."))


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_token_is_accepted_then_closed_4001_with_the_same_reason_for_all(
    server: Gateway, token: str, fault: str
) -> None:
    assert refusal(server, bad_tokens(token)[fault]) == (4001, "invalid token")


def test_with_a_bad_token_no_event_is_seen(server: Gateway, log: Kafka) -> None:
    with connect(f"{server.ws_url}?token=bad", compression=None, max_queue=None) as socket:
        client = Client(socket)
        write(log, *films(3))
        assert client.close_code() == 4001
        assert client.texts == []


def test_a_refresh_token_is_no_session_token(server: Gateway) -> None:
    with server.http() as http:
        body = http.post("/api/v1/auth/login", json={"username": "admin", "password": PASSWORD}).json()
    assert refusal(server, body["refresh_token"]) == (4001, "invalid token")


def test_the_same_bad_token_again_is_answered_later_and_later(server: Gateway) -> None:
    waits = []
    for _ in range(3):
        began = time.monotonic()
        assert refusal(server, "once.more.again") == (4001, "invalid token")
        waits.append(time.monotonic() - began)
    assert waits[0] < 0.9 <= waits[1] < 1.9 <= waits[2]


def test_a_token_expired_within_the_leeway_is_accepted(server: Gateway, token: str) -> None:
    with server.client(forge(token, exp=int(time.time()) - 28)) as client:
        assert client.subscribe("media_updates")["type"] == "subscribed"


def test_a_token_that_ends_while_connected_is_announced_renewed_in_band_and_else_closed(
    server: Gateway, token: str
) -> None:
    soon = int(time.time()) + 3
    with server.client(forge(token, exp=soon)) as client:
        client.subscribe("media_updates")
        assert client.receive_type("auth_expiring")["expires_at"]
        client.send(type="auth", token=token, ref=1)
        assert client.receive_type("authenticated")["ref"] == 1
        while time.time() < soon + 2:
            client.send(type="ping")
            client.receive_type("pong")
            client.socket.ping().wait(1)
            time.sleep(0.2)
    with server.client(forge(token, exp=int(time.time()) + 2)) as client:
        client.subscribe("media_updates")
        assert client.close_code() == 4002


def test_the_end_of_a_token_is_announced_60_s_before_it(server: Gateway, token: str) -> None:
    ends = int(time.time()) + 62
    with server.client(forge(token, exp=ends)) as client:
        client.subscribe("media_updates")
        assert client.receive_type("auth_expiring")["expires_at"] == iso(ends * 1_000)
        assert 58 < ends - time.time() <= 60


def test_a_token_may_come_by_header_or_subprotocol(server: Gateway, token: str) -> None:
    with connect(server.ws_url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        assert Client(socket).subscribe("media_updates")["type"] == "subscribed"
    with connect(server.ws_url, subprotocols=["bearer", token]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "bearer"
        assert Client(socket).subscribe("media_updates")["type"] == "subscribed"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("own", True),
        ("http://localhost:5173", True),
        ("http://[", False),
        ("http://localhost:5174", False),
        ("http://localhost:5173.evil.example", False),
        ("https://evil.example", False),
        ("null", False),
    ],
)
def test_a_page_of_another_origin_is_refused_at_the_handshake(
    server: Gateway, token: str, origin: str | None, allowed: bool
) -> None:
    value: Any = server.url if origin == "own" else origin
    try:
        with connect(f"{server.ws_url}?token={token}", origin=value) as socket:
            assert Client(socket).subscribe("media_updates")["type"] == "subscribed"
            opened = True
    except InvalidStatus as refused:
        opened = False
        assert refused.response.status_code == 403
    assert opened == allowed


@pytest.mark.parametrize(
    ("hosts", "origin", "status"),
    [
        (["evil.example"], "http://evil.example", 403),  # its name was pointed at us
        (["evil.example:{port}"], "http://evil.example:{port}", 403),
        (["127.0.0.1:{port}"], "http://127.0.0.1:{port}", 101),
        (["media.example"], "http://localhost:{port}", 101),
        (["127.0.0.1:{port}"], "http://[", 403),
        ([], None, 400),
        (["a", "b"], None, 400),
        (["a b"], None, 400),
    ],
)
def test_a_handshake_by_hand(
    server: Gateway, token: str, hosts: list[str], origin: str | None, status: int
) -> None:
    lines = [f"Host: {host}" for host in hosts] + ([] if origin is None else [f"Origin: {origin}"])
    answer = raw(server, f"GET /ws?token={token}", [line.format(port=server.port) for line in lines] + UPGRADE)
    assert answer.status == status
    assert answer.headers["x-request-id"]
    assert status == 101 or json.loads(answer.body).keys() == {"error", "message", "request_id"}


@pytest.mark.parametrize(
    ("fault", "status", "why"),
    [
        ("no key", 400, "handshake"),
        ("a bad key", 400, "handshake"),
        ("two keys", 400, "handshake"),
        ("version 8", 400, "handshake"),
        ("no version", 400, "handshake"),
        ("two versions", 400, "handshake"),
        ("a bad subprotocol", 400, "handshake"),
        ("two origins", 400, "handshake"),
        ("POST", 405, "handshake_method"),
        ("two upgrades", 426, "handshake_upgrade"),
        ("HTTP/1.0", 505, "handshake_http"),
    ],
)
def test_a_handshake_that_is_none_has_an_answer_in_the_one_shape_and_is_counted(
    server: Gateway, token: str, fault: str, status: int, why: str
) -> None:
    host, (connection, upgrade, version, key) = "Host: a", UPGRADE
    lines = {
        "no key": [connection, upgrade, version],
        "a bad key": [connection, upgrade, version, "Sec-WebSocket-Key: short"],
        "two keys": [*UPGRADE, key],
        "version 8": [connection, upgrade, "Sec-WebSocket-Version: 8", key],
        "no version": [connection, upgrade, key],
        "two versions": [*UPGRADE, version],
        "a bad subprotocol": [*UPGRADE, "Sec-WebSocket-Protocol: a b"],
        "two origins": [*UPGRADE, f"Origin: {server.url}", f"Origin: {server.url}"],
        "two upgrades": [*UPGRADE, upgrade],
    }.get(fault, UPGRADE)
    method = "POST" if fault == "POST" else "GET"
    before = ended(server, token, why)
    protocol = fault if fault == "HTTP/1.0" else "HTTP/1.1"
    answer = raw(server, f"{method} /ws?token={token}", [host, *lines], protocol)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    body = json.loads(answer.body)
    assert body.keys() == {"error", "message", "request_id"}
    assert body["request_id"] == answer.headers["x-request-id"]
    assert (answer.headers.get("allow") == "GET") == (status == 405)
    assert (answer.headers.get("upgrade") == "websocket") == (status == 426)
    assert ended(server, token, why) == before + 1
    assert f'"why": "{why}"' in server.log.read_text()


def test_handshakes_that_are_none_cost_a_line_a_second(server: Gateway) -> None:
    def lines() -> int:
        return server.log.read_text().count('"why": "handshake_http"')

    before, began = lines(), time.monotonic()
    for _ in range(50):
        assert raw(server, "GET /ws", ["Host: a", *UPGRADE], "HTTP/1.0").status == 505
    assert lines() - before <= time.monotonic() - began + 2


def ended(server: Gateway, token: str, why: str) -> float:
    """Connections that the gateway ended for this reason."""
    with server.http(token) as http:
        text = http.get("/metrics").text
    found = re.search(rf'^catalogizer_gateway_connections_ended_total{{why="{why}"}} (.*)$', text, re.MULTILINE)
    return 0.0 if found is None else float(found[1])


def test_what_no_browser_sends_costs_a_line_a_second_and_no_traceback(server: Gateway, token: str) -> None:
    before = len(server.log.read_text().splitlines())
    began = time.monotonic()

    def logged() -> list[str]:
        for _ in range(50):
            assert raw(server, f"GET /ws?token={token}", ["Host: a", "Origin: http://[", *UPGRADE]).status == 403
        return server.log.read_text().splitlines()[before:]

    wait_until(lambda: len(logged()) >= 2, 10, what="a second line")
    lines = logged()
    assert len(lines) <= time.monotonic() - began + 2
    assert "CATALOGIZER_GATEWAY__PUBLIC_URL" in lines[0]
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize(("path", "status"), [("/ws/", 101), ("/other", 404), ("/api/v1/health", 404)])
def test_a_socket_is_at_its_place_or_is_not(server: Gateway, token: str, path: str, status: int) -> None:
    answer = raw(server, f"GET {path}?token={token}", ["Host: a", *UPGRADE])
    assert answer.status == status
    assert answer.headers["x-request-id"]


def test_an_unknown_channel_is_an_error(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        answer = client.subscribe("no_such_channel")
    assert (answer["type"], answer["data"]["code"]) == ("error", "unknown_channel")


def test_the_17th_socket_of_a_session_is_refused_and_another_session_is_not(server: Gateway) -> None:
    mine, other = server.sign_in(), server.sign_in()
    with ExitStack() as sockets:
        for _ in range(16):
            sockets.enter_context(server.client(mine))
        with pytest.raises(InvalidStatus) as refused, server.client(mine):
            pass
        assert refused.value.response.status_code == 429
        with server.client(other) as client:
            assert client.subscribe("media_updates")["type"] == "subscribed"


def test_binary_bad_utf8_and_oversize_end_with_their_codes(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        client.socket.send(b"bytes")
        assert client.close_code() == 1003
    with server.client(token) as client:
        client.socket.send(b"\xff\xfe", text=True)
        assert client.close_code() == 1007
    with server.client(token) as client:
        client.socket.send("x" * 65_537)
        assert client.close_code() == 1009
    with server.client(token) as client:
        client.socket.send('{"type":"ping","pad":"' + "x" * 65_000 + '"}')
        assert client.receive()["type"] == "pong"


def test_too_many_messages_are_an_error_and_closed_with_4009(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        with suppress(ConnectionClosed):  # the server may close while the client still talks
            for _ in range(80):
                client.send(type="ping")
        frames = client.receive_until(lambda frame: frame["type"] == "error")
        assert frames[-1]["data"]["code"] == "rate_limited"
        assert 39 <= len(frames) - 1 <= 60
        began = time.monotonic()
        assert client.close_code() == 4009
        assert time.monotonic() - began < CLOSE_SECONDS / 2, (
            "the client's close frame is read, and the connection ends"
        )


def test_a_client_that_answers_no_ping_is_closed_1011(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        original = client.socket.protocol.recv_frame

        def deaf(frame: Any) -> None:
            if frame.opcode != 9:
                original(frame)

        client.socket.protocol.recv_frame = deaf  # type: ignore[method-assign]
        assert client.close_code() == 1011


# HTTP.


def test_signing_in_gives_every_name_that_clientsread(server: Gateway) -> None:
    with server.http() as http:
        for login in ({"username": "admin"}, {"username": "admin@localhost"}, {"email": "admin@localhost"}):
            body = http.post("/api/v1/auth/login", json={**login, "password": PASSWORD}).json()
            assert body["token"] == body["session_token"]
            assert {"refresh_token", "expires_at", "expires_in", "user"} <= body.keys()
            assert body["user"] == {
                "id": 1,
                "username": "admin",
                "email": "admin@localhost",
                "role_id": 1,
                "role": {"id": 1, "name": "Admin"},
            }


def test_status_profile_permissions_refresh_and_logout(server: Gateway) -> None:
    with server.http() as http:
        assert http.get("/api/v1/auth/status").json() == {"authenticated": False}
        bad = {"Authorization": "Bearer x"}
        assert http.get("/api/v1/auth/status", headers=bad).json() == {"authenticated": False}
        first = http.post("/api/v1/auth/login", json={"username": "admin", "password": PASSWORD}).json()
        http.headers["Authorization"] = f"Bearer {first['token']}"
        assert http.get("/api/v1/auth/status").json()["authenticated"] is True
        assert http.get("/api/v1/auth/profile").json()["username"] == "admin"
        permissions = http.get("/api/v1/auth/permissions").json()
        assert (permissions["role"], permissions["is_admin"]) == ("Admin", True)
        assert "read:media" in permissions["permissions"]
        refreshed = http.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
        assert refreshed.status_code == 200
        again = http.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
        assert again.json()["refresh_token"] == refreshed.json()["refresh_token"], "an answer may be lost"
        with server.client(first["token"]) as client:
            client.subscribe("media_updates")
            assert http.post("/api/v1/auth/logout").status_code == 200
            assert client.close_code() == 4003
        newest = refreshed.json()["refresh_token"]
        assert http.post("/api/v1/auth/refresh", json={"refresh_token": newest}).status_code == 401


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"json": {"username": "admin", "password": "no"}}, 401),
        ({"json": {"username": "nobody", "password": "no"}}, 401),
        ({"json": {"username": "x' OR '1'='1", "password": "no"}}, 401),
        ({"json": {"username": "admin", "password": "x" * 5_000}}, 413),
        ({"json": {"username": "admin"}}, 422),
        ({"json": {"username": "admin", "password": "x", "extra": 1}}, 422),
        ({"json": ["admin"]}, 422),
        ({"data": {"username": "admin", "password": "x"}}, 415),
        ({"content": "{", "headers": {"Content-Type": "application/json"}}, 422),
        ({"content": "x" * 70_000, "headers": {"Content-Type": "application/json"}}, 413),
    ],
)
def test_a_bad_login_has_its_answer(server: Gateway, request_: dict[str, Any], status: int) -> None:
    with server.http() as http:
        answer = http.post("/api/v1/auth/login", **request_)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"error", "message", "request_id"}
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert "server" not in answer.headers


def test_the_sixth_failure_waits_and_the_right_password_gets_in(server: Gateway, tables: str) -> None:
    with psycopg.connect(tables) as connection:
        connection.execute(
            "INSERT INTO users (username, email, password_hash)"
            " SELECT 'bob', 'bob@x', password_hash FROM users LIMIT 1"
        )
    with server.http() as http:
        codes = [
            http.post("/api/v1/auth/login", json={"username": name, "password": "no"}).status_code
            for name in ("bob", "bob@x", "BOB", "Bob@X", "bob")
        ]
        answer = http.post("/api/v1/auth/login", json={"username": "bob@x", "password": "no"})
        right = http.post("/api/v1/auth/login", json={"username": "bob", "password": PASSWORD})
        after = http.post("/api/v1/auth/login", json={"username": "bob", "password": "no"})
    assert codes == [401] * 5, "name and address are one account"
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert (right.status_code, after.status_code) == (200, 429)


def test_failures_are_not_forgotten_for_a_503(server: Gateway, tables: str) -> None:
    with psycopg.connect(tables, autocommit=True) as connection, server.http() as http:

        def wrong() -> int:
            body = {"username": "nobody at all", "password": "no"}
            return http.post("/api/v1/auth/login", json=body).status_code

        before = [wrong() for _ in range(5)]
        connection.execute("ALTER TABLE users RENAME TO users_away")
        try:
            away = wrong()
        finally:
            connection.execute("ALTER TABLE users_away RENAME TO users")
        assert (before, away, wrong()) == ([401] * 5, 503, 429)


@pytest.mark.parametrize(
    ("name", "longest"),
    [("type", TYPE_CHARACTERS), ("title", TITLE_CHARACTERS), ("message", MESSAGE_CHARACTERS)],
)
def test_a_notification_s_words_have_their_lengths(server: Gateway, token: str, name: str, longest: int) -> None:
    note = {"type": "a", "title": "b", "message": "c", "level": "info"}
    with server.http(token) as http:
        answers = [
            http.post("/api/v1/notifications", json=note | {name: "ä" * size}).status_code
            for size in (longest, longest + 1)
        ]
    assert answers == [201, 422]


def test_of_a_storm_of_sign_ins_the_right_ones_get_in(server: Gateway, tables: str) -> None:
    with psycopg.connect(tables) as connection:
        connection.execute(
            "INSERT INTO users (username, email, password_hash)"
            " SELECT 'storm', 'storm@x', password_hash FROM users LIMIT 1"
        )

    async def storm() -> list[int]:
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=server.url, timeout=STORM_SECONDS, limits=limits) as http:

            async def one(n: int) -> int:
                password = PASSWORD if n % 10 == 5 else f"wrong {n}"
                body = {"username": "storm", "password": password}
                return (await http.post("/api/v1/auth/login", json=body)).status_code

            return await asyncio.gather(*(one(n) for n in range(120)))

    codes = asyncio.run(storm())
    assert [code for n, code in enumerate(codes) if n % 10 == 5] == [200] * 12
    wrong = [code for n, code in enumerate(codes) if n % 10 != 5]
    assert set(wrong) == {401, 429}
    assert wrong.count(401) <= 5 + 2, "two are checked at once"


def processor_ms(pid: int) -> float:
    """The run time of all threads of a process (Linux: Documentation/scheduler/sched-stats)."""
    ran = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has ended
            ran += int((thread / "schedstat").read_text().split()[0])
    return ran / 1e6


def test_wrong_password_unknown_name_and_disabled_account_get_the_same_answer_and_take_as_long(
    server: Gateway, tables: str
) -> None:
    bodies: set[str] = set()
    assert server.process is not None
    pid = server.process.pid

    def medians_ms(turn: int) -> list[float]:
        """Of the gateway's own work for each of the three: how long an answer takes besides depends on what else the machine
        does. Other names each turn, because beyond the limits no password is checked."""
        tries = {f"known {turn}": "no", f"nobody {turn}": "no", f"gone {turn}": PASSWORD}
        with psycopg.connect(tables) as connection:
            for name, disabled in ((f"known {turn}", False), (f"gone {turn}", True)):
                connection.execute(
                    "INSERT INTO users (username, password_hash, disabled)"
                    " SELECT %s, password_hash, %s FROM users LIMIT 1",
                    (name, disabled),
                )
        times: dict[str, list[float]] = {name: [] for name in tries}
        for _ in range(9):
            for name, password in tries.items():
                before = processor_ms(pid)
                answer = http.post("/api/v1/auth/login", json={"username": name, "password": password})
                times[name].append(processor_ms(pid) - before)
                body = answer.json()
                bodies.add(f"{body['error']} {body['message']}")
        return [statistics.median(found) for found in times.values()]

    alike = False
    with server.http() as http:
        for turn in range(6):  # other work of the gateway can make them differ but never alike
            medians = medians_ms(turn)
            assert min(medians) > CHECK_MS, "a password was checked for each of the three"
            alike |= max(medians) - min(medians) < min(medians) / 3
            if alike:
                break
    assert alike
    assert bodies <= {"invalid_credentials wrong user name or password", LIMITED}


def test_no_token_is_401_with_a_challenge_and_a_user_is_403_where_administrators_go(
    server: Gateway, token: str
) -> None:
    body = {"type": "a", "title": "b", "message": "c", "level": "info"}
    with server.http() as http:
        answer = http.get("/api/v1/media/search")
        assert (answer.status_code, "Bearer" in answer.headers["WWW-Authenticate"]) == (401, True)
        assert http.post("/api/v1/notifications", json=body).status_code == 401
        user = {"Authorization": f"Bearer {forge(token, role_id=2)}"}
        assert http.post("/api/v1/notifications", json=body, headers=user).status_code == 403
        admin = {"Authorization": f"Bearer {token}"}
        wrong = {**body, "level": "loud"}
        assert http.post("/api/v1/notifications", json=wrong, headers=admin).status_code == 422


def test_cross_origin_reads_only_from_the_setting(server: Gateway) -> None:
    with server.http() as http:
        own = http.get("/version", headers={"Origin": "http://localhost:5173"})
        other = http.get("/version", headers={"Origin": "https://evil.example"})
    assert own.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert "Access-Control-Allow-Origin" not in other.headers


def test_no_token_and_no_password_is_ever_in_the_log(server: Gateway, token: str) -> None:
    canary = "pw-canary-58213"
    with server.http() as http:
        http.post("/api/v1/auth/login", json={"username": "canary", "password": canary})
    with server.http(token) as http:
        metrics = http.get("/metrics").text
    with server.client(token) as client:
        client.subscribe("media_updates")
    refusal(server, "token-canary-77125")
    text = server.log.read_text()
    for secret in (canary, "token-canary-77125", token, SECRET, PASSWORD):
        assert secret not in text
        assert secret not in metrics


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/openapi.json"])
def test_what_is_the_operator_s_needs_an_administrator(server: Gateway, token: str, path: str) -> None:
    user = {"Authorization": f"Bearer {forge(token, role_id=2)}"}
    with server.http() as http:
        assert http.get(path).status_code == 401
        assert http.get(path, headers=user).status_code == 403
        assert http.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert [http.get(off).status_code for off in ("/docs", "/redoc", "/openapi.json")] == [404] * 3


def test_metrics_are_on_a_port_of_their_own_where_one_is_set(log: Kafka, tables: str, tmp_path: Path) -> None:
    port = ports.free_port()
    running = gateway(log, tables, tmp_path, {"HEALTH__PORT": str(port)})
    running.start()
    try:
        assert "catalogizer_gateway_sockets" in httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
    finally:
        running.kill()


@pytest.mark.parametrize(
    ("request_line", "lines", "status"),
    [
        ("GET /health", [], 400),
        ("GET /health", ["Host: a", "Host: b"], 400),
        ("GET /health", ["Host: a", "Host: a"], 400),
        ("GET /health", ["Host: a/b"], 400),
        ("GET /health", ["Host: a"], 200),
        ("GET /health", ["Host: [::1]:8080"], 200),
        ("HEAD /health", ["Host: a"], 200),
        ("HEAD /", ["Host: a"], 200),
        ("GET /../../etc/passwd", ["Host: a"], 404),
        ("GET /%2e%2e/%2e%2e/etc/passwd", ["Host: a"], 404),
        ("GET //etc/passwd", ["Host: a"], 404),
        ("GET /index.html/../../gateway/app.py", ["Host: a"], 404),
        ("POST /nowhere", ["Host: a", "Content-Length: 0"], 404),
        ("POST /api/v1/nowhere", ["Host: a", "Content-Length: 0"], 404),
    ],
)
def test_a_request_by_hand(server: Gateway, request_line: str, lines: list[str], status: int) -> None:
    answer = raw(server, request_line, lines)
    assert answer.status == status
    assert answer.headers["x-request-id"]
    assert "server" not in answer.headers
    assert "Traceback" not in answer.body
    assert request_line.startswith("GET") or answer.body == "" or status >= 400


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/api/v1/media/search", "GET, HEAD, PATCH"),
        ("GET", "/api/v1/auth/login", "POST"),
        ("HEAD", "/api/v1/notifications", "POST"),
        ("DELETE", "/health", "GET, HEAD"),
        ("PUT", "/", "GET, HEAD"),
        ("POST", "/app.js", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_there_is_405_with_those_that_are(
    server: Gateway, method: str, path: str, allow: str
) -> None:
    with server.http() as http:
        answer = http.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)


def test_head_is_get_without_the_body(server: Gateway, token: str) -> None:
    with server.http(token) as http:
        for path in ("/api/v1/media/stats", "/api/v1/channels", "/app.js", "/api/v1/media/999"):
            head, get = http.head(path), http.get(path)
            assert (head.status_code, head.content) == (get.status_code, b"")
            assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_a_chunked_body_over_the_limit_is_413(server: Gateway) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 4_096

    with server.http() as http:
        answer = http.post("/api/v1/auth/login", content=pieces(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_who_waits_for_leave_to_send_a_body_has_it_or_an_answer(server: Gateway) -> None:
    body = json.dumps({"username": "admin", "password": PASSWORD}).encode()
    head = (
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
    )
    for length, first in ((len(body), b"HTTP/1.1 100 Continue\r\n\r\n"), (1_000_000, b"HTTP/1.1 413 ")):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
            assert connection.recv(65_536).startswith(first)
            if length == len(body):
                connection.sendall(body)
                assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_a_star_means_the_same_for_rest_and_sockets(log: Kafka, tables: str, tmp_path: Path) -> None:
    running = gateway(log, tables, tmp_path, {"ALLOWED_ORIGINS": '["*"]'})
    running.start()
    try:
        anybody: Any = "https://anybody.example"
        with connect(f"{running.ws_url}?token={running.sign_in()}", origin=anybody) as socket:
            assert Client(socket).subscribe("media_updates")["type"] == "subscribed"
        with running.http() as http:
            answer = http.get("/version", headers={"Origin": anybody})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    finally:
        running.kill()


def test_behind_a_trusted_proxy_failures_are_counted_for_the_client(
    log: Kafka, tables: str, tmp_path: Path
) -> None:
    running = gateway(log, tables, tmp_path, {"TRUSTED_PROXIES": '["127.0.0.1"]'})
    running.start()
    try:
        with running.http() as http:

            def wrong(client: str) -> int:
                body = {"username": "proxied", "password": "no"}
                headers = {"X-Forwarded-For": f"198.51.100.1, {client}"}
                return http.post("/api/v1/auth/login", json=body, headers=headers).status_code

            assert [wrong("203.0.113.1") for _ in range(6)] == [401] * 5 + [429]
            assert wrong("203.0.113.2") == 401
    finally:
        running.kill()


def test_without_a_secret_of_its_own_a_gateway_does_not_start(log: Kafka, tables: str, tmp_path: Path) -> None:
    bare = gateway(log, tables, tmp_path)
    del bare.environment["CATALOGIZER_GATEWAY__TOKEN_SECRET"]
    bare.launch()
    assert bare.process is not None
    assert bare.process.wait(20) == 2
    assert bare.log.read_text().count("CATALOGIZER_GATEWAY__TOKEN_SECRET") == 1


@pytest.mark.parametrize("secret", ["2short2", "change-me-change-me-change-me-change-me", "a" * 40])
def test_a_secret_that_does_not_protect_is_refused_at_the_start(
    log: Kafka, tables: str, tmp_path: Path, secret: str
) -> None:
    weak = gateway(log, tables, tmp_path, {"TOKEN_SECRET": secret})
    with pytest.raises(TimeoutError):
        weak.start()
    assert weak.process is not None
    assert weak.process.wait(5) == 2
    text = weak.log.read_text()
    assert "gateway.token_secret" in text
    assert "Traceback" not in text
    assert secret not in text


def test_a_taken_port_is_one_clear_line(server: Gateway, log: Kafka, tables: str, tmp_path: Path) -> None:
    second = gateway(log, tables, tmp_path, {"PORT": str(server.port)})
    second.environment["CATALOGIZER_STATE_DIR"] = str(tmp_path)
    with pytest.raises((TimeoutError, AssertionError)):
        second.port = 1  # never ready there
        second.start()
    assert second.process is not None
    assert second.process.wait(5) == 2
    text = second.log.read_text()
    assert "CATALOGIZER_GATEWAY__PORT" in text
    assert "Traceback" not in text


def test_an_answer_is_never_a_stack_trace(server: Gateway, token: str) -> None:
    with server.http(token) as http:
        for path in ("/api/v1/nowhere", "/api/v1/media/x", "/api/v1/media/999", "/api/v1/covers/..%2f", "/x.js"):
            answer: httpx.Response = http.get(path)
            assert answer.status_code in (404, 422)
            assert answer.json().keys() == {"error", "message", "request_id"}
        assert http.get("/api/v1/changes", params={"cursor": "x"}).status_code == 400
        assert http.get("/api/v1/media/search", params={"query": "a\x00b"}).status_code == 200
        assert http.get("/api/v1/media/search", params={"query": "%_\\'\";--"}).status_code == 200
