"""Who may see what, at two gateways of one installation: the same rule live, in replay and by REST; rights that are revoked,
on an open socket too; machines, tickets and first messages; and the audit log of all that."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from runtime.kafka import Kafka
from schemas.channels import ANALYSIS_UPDATES, MEDIA_UPDATES, SYSTEM_UPDATES
from schemas.topics import AUDIT
from tests.support.accounts import UserCommand
from tests.support.events import event, film
from tests.support.gateway import PASSWORD, Client, Frame, Gateway
from tests.support.topic import NewRecord, read, write
from tests.support.waiting import wait_until

TAKEN_SECONDS = 5


@pytest.fixture(scope="module")
def user(tables: str) -> UserCommand:
    """The operator's command."""
    return UserCommand(tables)


def add(user: UserCommand, name: str, *options: str) -> None:
    code, _, err = user("add", name, *options, "--password-stdin", typed=PASSWORD)
    assert code == 0, err


def item(n: int, root: str, action: str = "updated", was: str | None = None) -> NewRecord:
    data = film(n)
    data["action"] = action
    media: dict[str, Any] = {**data["media"], "storage_root": root, "library": "home"}  # type: ignore[dict-item]
    data["media"] = media
    if was is not None:
        data["was"] = {
            "id": n,
            "title": f"was {n}",
            "media_type": "video",
            "storage_root": was,
            "path": f"{n}.mkv",
        }
    return event(MEDIA_UPDATES, data, id=f"item-{n}-{root}-{action}", time="2024-01-15T10:30:00Z")


def seen(frames: list[Frame]) -> list[tuple[int, str, str]]:
    """Id, action and root of each item in the frames."""
    found = [frame["data"] for frame in frames if frame["type"] == "media_update"]
    return [(data["media_id"], data["action"], data["media"]["storage_root"]) for data in found]


def until_item(client: Client, n: int) -> list[Frame]:
    return client.receive_until(lambda frame: frame["type"] == "media_update" and frame["data"]["media_id"] == n)


def test_what_moves_out_of_sight_is_deleted_and_what_moves_into_it_created_alike_live_and_in_replay(
    server: Gateway, second: Gateway, token: str, log: Kafka, user: UserCommand
) -> None:
    add(user, "kim", "--root", "music")
    kim = server.sign_in("kim")
    records = [
        item(1, "films"), item(2, "music", "created"), item(3, "films", was="music"), item(4, "music", was="films"),
        item(5, "private", was="films"), item(6, "music", "deleted"),
    ]  # fmt: skip
    sees = [(2, "created", "music"), (3, "deleted", "music"), (4, "created", "music"), (6, "deleted", "music")]
    with server.client(kim) as mine, server.client(token) as everything:
        mine.subscribe("media_updates")
        answer = everything.subscribe("media_updates")
        write(log, *records)
        live, whole = until_item(mine, 6), until_item(everything, 6)
    assert seen(live) == sees
    assert [(n, a) for n, a, _ in seen(whole)] == [
        (1, "updated"), (2, "created"), (3, "updated"), (4, "updated"), (5, "updated"), (6, "deleted")
    ]  # fmt: skip
    gone = next(frame for frame in live if frame["type"] == "media_update" and frame["data"]["media_id"] == 3)
    assert gone["data"]["media"]["title"] == "was 3"
    assert gone["payload"] == gone["data"]
    others = [f["data"] for f in live if f["type"] == "media_update" and f["offset"] != gone["offset"]]
    assert "was" not in json.dumps(others)
    with second.client(second.sign_in("kim")) as replayed:
        replayed.subscribe("media_updates", from_={"offsets": answer["start"]}, until="head")
        again = replayed.receive_until(lambda frame: frame["type"] == "unsubscribed")
    texts = [text for text in replayed.texts if '"media_update"' in text and '"type":"media_update"' in text]
    assert texts == [text for text in mine.texts if '"type":"media_update"' in text], "byte for byte"
    assert again[-1]["reason"] == "complete"


def test_scans_health_and_roots_are_seen_by_the_same_rule(server: Gateway, log: Kafka, user: UserCommand) -> None:
    add(user, "lea", "--library", "family")
    with server.client(server.sign_in("lea")) as client:
        client.subscribe("system_updates")
        client.subscribe("analysis_updates")
        at = "2024-01-15T10:00:00Z"

        def root(name: str, library: str) -> dict[str, object]:
            return {
                "action": "storage_update", "component": name, "status": "healthy", "details": {"library": library}
            }  # fmt: skip

        done = {"items_processed": 1, "items_identified": 1, "items_failed": 0, "duration_ms": 1}
        write(
            log,
            event(SYSTEM_UPDATES, root("films", "other"), id="s1", time=at),
            event(
                SYSTEM_UPDATES,
                {"action": "health_check", "component": "watch", "status": "healthy"},
                id="s2",
                time=at,
            ),
            event(ANALYSIS_UPDATES, done | {"storage_root": "films"}, id="a1", time=at),
            event(SYSTEM_UPDATES, root("photos", "family"), id="s3", time=at),
        )
        received = client.receive_until(lambda frame: frame["type"] == "system_update")
    assert [frame["data"]["component"] for frame in received if frame["type"] == "system_update"] == ["photos"]
    assert not [frame for frame in received if frame["type"] == "analysis_complete"], "of another library"


def test_a_right_that_is_taken_away_is_gone_from_an_open_socket_within_five_seconds(
    server: Gateway, second: Gateway, token: str, log: Kafka, user: UserCommand
) -> None:
    add(user, "moe", "--root", "music", "--root", "films")
    moe = server.sign_in("moe")
    with server.client(moe) as here, second.client(moe) as there, second.http(token) as http:
        for client in (here, there):
            client.subscribe("media_updates")
            client.subscribe("system_updates")
        write(log, item(11, "films"))
        until_item(here, 11)
        began = time.monotonic()
        changed = http.patch(
            "/api/v1/users/moe", json={"rights": {"channels": ["media_updates"], "storage_roots": ["music"]}}
        )
        assert changed.status_code == 200, changed.text
        for client in (here, there):
            ended = client.receive_type("unsubscribed", TAKEN_SECONDS)
            assert (ended["channel"], ended["reason"]) == ("system_updates", "forbidden")
        assert time.monotonic() - began < TAKEN_SECONDS
        write(log, item(12, "films"), item(13, "music"))
        assert seen(until_item(here, 13)) == [(13, "updated", "music")]
        assert here.subscribe("system_updates")["data"] == here.subscribe("nothing")["data"], "looks like none"
        assert http.get("/api/v1/users/moe/sessions").json()["sessions"][0]["method"] == "password"


def declare(tables: str, root: str, library: str) -> None:
    """A row as the projector writes it."""
    with psycopg.connect(tables) as connection:
        connection.execute(
            "INSERT INTO storage_roots (root, library, state, epoch, changed_at, src_partition, src_offset)"
            " VALUES (%s, %s, 'online', 'e', now(), 0, 0)",
            (root, library),
        )


def test_a_notification_reaches_whom_it_is_for(
    server: Gateway, second: Gateway, tables: str, token: str, user: UserCommand
) -> None:
    declare(tables, "albums", "family")
    declare(tables, "else", "other")
    add(user, "nia", "--role", "operator", "--library", "family")
    add(user, "ole")
    note = {"type": "a", "message": "m", "level": "info"}
    with second.client(second.sign_in("nia")) as nia, server.client(server.sign_in("ole")) as ole:
        nia.subscribe("asset_updates")
        ole.subscribe("asset_updates")
        with server.http(token) as http:
            for title, to in (
                ("user", {"user": "nia"}), ("role", {"role": "viewer"}), ("library", {"library": "family"}),
                ("other", {"library": "other"}), ("all", None),
            ):  # fmt: skip
                body = note | {"title": title} | ({} if to is None else {"to": to})
                assert http.post("/api/v1/notifications", json=body).status_code == 201
            assert (
                http.post("/api/v1/notifications", json=note | {"title": "x", "to": {"user": "zz"}}).status_code
                == 422
            )
            both = {"user": "nia", "role": "viewer"}
            assert http.post("/api/v1/notifications", json=note | {"title": "x", "to": both}).status_code == 422

        def titles(client: Client) -> list[str]:
            received = client.receive_until(lambda f: f["type"] == "notification" and f["data"]["title"] == "all")
            return [frame["data"]["title"] for frame in received if frame["type"] == "notification"]

        assert titles(nia) == ["user", "library", "all"]
        assert titles(ole) == ["role", "library", "other", "all"], (
            "an account that may see everything sees every library"
        )


def test_an_operator_makes_requests_within_the_rights_and_a_viewer_none(
    server: Gateway, user: UserCommand
) -> None:
    add(user, "pat", "--role", "operator", "--root", "music")
    add(user, "quin")
    with server.http(server.sign_in("pat")) as http:
        answer = http.post("/api/v1/scans", json={"root": "private"})
        assert answer.status_code == 422
        assert "private" not in answer.json()["message"]
        assert http.get("/api/v1/users").status_code == 403
        assert http.get("/metrics").status_code == 403
    with server.http(server.sign_in("quin")) as http:
        assert http.post("/api/v1/scans", json={"root": "music"}).status_code == 403
        assert http.post("/api/v1/notifications", json={}).status_code == 403


def test_a_machine_has_a_token_of_its_own_until_it_is_revoked(
    server: Gateway, second: Gateway, token: str, log: Kafka
) -> None:
    body = {"name": "dashboard", "rights": {"storage_roots": ["music"]}, "days": 1}
    with server.http(token) as admin:
        issued = admin.post("/api/v1/tokens", json=body)
        assert issued.status_code == 201, issued.text
        machine = issued.json()["token"]
        assert admin.post("/api/v1/tokens", json=body).status_code == 409
        assert machine not in admin.get("/api/v1/tokens").text
        with server.http(machine) as http:
            assert http.get("/api/v1/media/search").status_code == 200
            assert http.get("/api/v1/auth/status").json()["authenticated"] is True
            assert http.get("/api/v1/auth/profile").json()["username"] == "token:dashboard"
            assert http.get("/api/v1/users").status_code == 403
        wait_until(
            lambda: status(second, machine) == 200, TAKEN_SECONDS, what="the other gateway to know the token"
        )
        with second.client(machine) as client:
            client.subscribe("media_updates")
            write(log, item(21, "films"), item(22, "music"))
            assert seen(until_item(client, 22)) == [(22, "updated", "music")]
            assert admin.delete("/api/v1/tokens/dashboard").status_code == 200
            assert client.close_code(TAKEN_SECONDS) == 4003
        assert status(server, machine) == status(second, machine) == 401
        assert admin.delete("/api/v1/tokens/dashboard").status_code == 404
        forged = machine[:-1] + ("A" if machine[-1] != "A" else "B")
        assert status(server, forged) == 401


def test_a_ticket_opens_one_socket_at_whichever_gateway(server: Gateway, second: Gateway, token: str) -> None:
    with server.http(token) as http:
        ticket = http.post("/api/v1/auth/ws-ticket").json()["ticket"]
    with connect(f"{second.ws_url}?ticket={ticket}") as socket:
        client = Client(socket)
        assert client.subscribe("media_updates")["type"] == "subscribed"
    for where in (server, second):
        with connect(f"{where.ws_url}?ticket={ticket}") as socket:
            assert Client(socket).close_code() == 4001
    assert status(server, ticket) == 401, "a ticket is no token"
    with connect(f"{server.ws_url}?ticket={token}") as socket:
        assert Client(socket).close_code() == 4001, "and a token no ticket"


def test_a_first_message_may_have_the_token_and_nothing_else_is_read_before(server: Gateway, token: str) -> None:
    with connect(f"{server.ws_url}?auth=message") as socket:
        client = Client(socket)
        client.send(type="auth", token=token, ref=1)
        answer = client.receive()
        assert (answer["type"], answer["ref"]) == ("authenticated", 1)
        assert client.subscribe("media_updates")["type"] == "subscribed"
    for first, code in (
        ({"type": "auth", "token": "x"}, 4001), ({"type": "subscribe", "channel": "media_updates"}, 4001), ("{", 4012),
    ):  # fmt: skip
        with connect(f"{server.ws_url}?auth=message") as socket:
            socket.send(first if isinstance(first, str) else json.dumps(first))
            assert Client(socket).close_code() == code
    with connect(f"{server.ws_url}?auth=message") as socket:
        began = time.monotonic()
        assert Client(socket).close_code() == 4012
        assert 8 < time.monotonic() - began < 13


def test_unauthenticated_sockets_are_few(server: Gateway) -> None:
    refused = 0
    with ExitStack() as sockets:
        for _ in range(270):
            try:
                sockets.enter_context(connect(f"{server.ws_url}?auth=message", close_timeout=0.1))
            except InvalidStatus as error:
                assert error.response.status_code == 503
                refused += 1
        assert refused == 14


def test_ones_own_sessions_are_listed_and_ended(server: Gateway, second: Gateway, user: UserCommand) -> None:
    add(user, "rob")
    one, two = server.sign_in("rob"), second.sign_in("rob")
    with server.http(one) as http, second.client(two) as client:
        client.subscribe("media_updates")
        found = http.get("/api/v1/sessions").json()["sessions"]
        assert [(s["username"], s["current"]) for s in found] == [("rob", False), ("rob", True)]
        assert found[0]["address"] == "127.0.0.1"
        other = next(s["id"] for s in found if not s["current"])
        assert http.delete(f"/api/v1/sessions/{other}").status_code == 200
        assert client.close_code(TAKEN_SECONDS) == 4003
        assert http.delete(f"/api/v1/sessions/{other}").status_code == 404
    with server.http() as stranger:
        assert stranger.get("/api/v1/sessions").status_code == 401


def test_accounts_are_kept_by_rest(server: Gateway, token: str) -> None:
    with server.http(token) as http:
        made = http.post("/api/v1/users", json={"username": "sue", "password": PASSWORD, "role": "operator"})
        assert (made.status_code, made.json()["role"]) == (201, "operator")
        assert http.post("/api/v1/users", json={"username": "Sue", "password": PASSWORD}).status_code == 409
        assert http.post("/api/v1/users", json={"username": "t t", "password": PASSWORD}).status_code == 422
        wrong = {"rights": {"channels": ["nothing"]}}
        assert http.patch("/api/v1/users/sue", json=wrong).status_code == 422
        assert http.patch("/api/v1/users/nobody", json={"role": "viewer"}).status_code == 404
        assert http.patch("/api/v1/users/admin", json={"role": "viewer"}).status_code == 409, "the last one"
        sue = server.sign_in("sue")
        assert http.patch("/api/v1/users/sue", json={"disabled": True}).json()["disabled"] is True
        assert status(server, sue) == 401
        assert [u["username"] for u in http.get("/api/v1/users").json()["users"]].count("sue") == 1


def test_all_of_that_is_in_the_audit_log_once_and_no_secret_is(
    server: Gateway, log: Kafka, token: str, user: UserCommand
) -> None:
    with server.http() as http:
        http.post("/api/v1/auth/login", json={"username": "admin", "password": "wrong horse battery"})
    with server.http(token) as http:
        http.post("/api/v1/notifications", json={"type": "a", "title": "b", "message": "c", "level": "info"})

    def recorded() -> list[dict[str, Any]]:
        return [json.loads(record.value or b"") for record in read(log, AUDIT)]

    def has(action: str, **members: object) -> bool:
        return any(one["action"] == action and members.items() <= one.items() for one in recorded())

    wait_until(lambda: has("sign_in_refused", by="admin", why="wrong password"), 10, what="the refusal")
    assert has("signed_in", by="kim", address="127.0.0.1", way="password")
    assert has("account_added", subject="kim", by="command line")
    assert has("rights_changed", subject="moe", by="admin")
    assert has("token_issued", subject="token:dashboard", by="admin")
    assert has("token_revoked", subject="token:dashboard", by="admin")
    assert has("session_ended", subject="rob", by="rob")
    assert has("permission_refused", by="quin", permission="request:scans")
    assert has("permission_used", by="admin", permission="write:notifications", path="/api/v1/notifications")
    ids = [dict(record.headers)["ce_id"] for record in read(log, AUDIT)]
    assert len(ids) == len(set(ids))
    assert PASSWORD not in json.dumps(recorded())
    assert "cst_" not in json.dumps(recorded())


def status(server: Gateway, token: str, path: str = "/api/v1/media/stats") -> int:
    with server.http(token) as http:
        return http.get(path).status_code
