"""Who may do what, and the exact answer to who may not: every row is one attempt."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from runtime.kafka import Kafka
from tests.support.gateway import PASSWORD, Client, Gateway, gateway

SECRET = "8f2d6c1b9a7e4f3c8d5a6b7c0e1f2a3b"


@pytest.fixture(scope="module")
def server(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose secret the tests know, so that they can forge all but the signature, and that too."""
    options = {"TOKEN_SECRET": SECRET, "ALLOWED_ORIGINS": '["http://localhost:5173"]', "PING_SECONDS": "1"}
    options["SLOW_SECONDS"] = "2"
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), options)
    running.start()
    yield running
    running.kill()


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    return header, claims


def forge(token: str, *, header: dict[str, Any] | None = None, key: str = SECRET, **claims: Any) -> str:
    """A token like this one with other claims (None takes one away), signed with `key`; built by hand."""
    old_header, old_claims = _read(token)
    new = {name: value for name, value in {**old_claims, **claims}.items() if value is not None}
    new_header = {name: value for name, value in {**old_header, **(header or {})}.items() if value is not None}
    signed = f"{_part(new_header)}.{_part(new)}"
    signature = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def bad_tokens(token: str) -> dict[str, str]:
    now = int(time.time())
    header, claims = _read(token)
    return {
        "none": "",
        "malformed": "abc",
        "two parts": "a.b",
        "not ASCII": "é.é.é",
        "wrong signature": forge(token, key="another secret of sufficient length"),
        "algorithm none": f"{_part({**header, 'alg': 'none'})}.{_part(claims)}.",
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


BAD = sorted(bad_tokens(f"{_part({'alg': 'HS256'})}.{_part({})}."))


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_token_is_accepted_then_closed_4001_with_the_same_reason_for_all(
    server: Gateway, token: str, fault: str
) -> None:
    assert refusal(server, bad_tokens(token)[fault]) == (4001, "invalid token")


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
    with server.client(forge(token, exp=int(time.time()) - 20)) as client:
        assert client.subscribe("media_updates")["type"] == "subscribed"


def test_a_token_that_ends_while_connected_is_announced_renewed_in_band_and_else_closed(
    server: Gateway, token: str
) -> None:
    soon = int(time.time()) + 3
    with server.client(forge(token, exp=soon)) as client:
        client.subscribe("media_updates")
        assert client.hear_type("auth_expiring")["expires_at"]
        client.say(type="auth", token=token, ref=1)
        assert client.hear_type("authenticated")["ref"] == 1
        while time.time() < soon + 2:
            client.say(type="ping")
            client.hear_type("pong")
            client.socket.ping().wait(1)
            time.sleep(0.2)
    with server.client(forge(token, exp=int(time.time()) + 2)) as client:
        client.subscribe("media_updates")
        assert client.close_code() == 4002


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
        assert client.hear()["type"] == "pong"


def test_too_many_messages_are_told_then_closed_4009(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        with suppress(ConnectionClosed):  # the server may close while the client still talks
            for _ in range(80):
                client.say(type="ping")
        frames = client.hear_until(lambda frame: frame["type"] == "error")
        assert frames[-1]["data"]["code"] == "rate_limited"
        assert 39 <= len(frames) - 1 <= 60
        assert client.close_code() == 4009


def test_a_client_that_answers_no_ping_is_closed_1011(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        original = client.socket.protocol.recv_frame

        def deaf(frame: Any) -> None:
            if frame.opcode != 9:
                original(frame)

        client.socket.protocol.recv_frame = deaf  # type: ignore[method-assign]
        assert client.close_code() == 1011


# HTTP.


def test_signing_in_gives_every_name_that_clients_read(server: Gateway) -> None:
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
        assert again.status_code == 401
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


def test_the_sixth_failure_waits_and_the_right_password_meanwhile_too(server: Gateway, tables: str) -> None:
    with psycopg.connect(tables) as connection:
        connection.execute(
            "INSERT INTO users (username, email, password_hash)"
            " SELECT 'bob', 'bob@x', password_hash FROM users LIMIT 1"
        )
    with server.http() as http:
        wrong = {"username": "bob", "password": "no"}
        codes = [http.post("/api/v1/auth/login", json=wrong).status_code for _ in range(6)]
        answer = http.post("/api/v1/auth/login", json={"username": "bob", "password": PASSWORD})
    assert codes == [401] * 5 + [429]
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300


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
        metrics = http.get("/metrics").text
    with server.client(token) as client:
        client.subscribe("media_updates")
    refusal(server, "token-canary-77125")
    text = server.log.read_text()
    for secret in (canary, "token-canary-77125", token, SECRET, PASSWORD):
        assert secret not in text
        assert secret not in metrics


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
        assert http.get("/api/v1/media/search", params={"query": "a\x00b"}).status_code in (400, 422)
        assert http.get("/api/v1/media/search", params={"query": "%_\\'\";--"}).status_code == 200
