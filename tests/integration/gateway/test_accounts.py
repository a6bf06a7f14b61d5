"""An operator's changes to accounts, as seen by signed-in clients at every gateway; and what the log has about them."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from websockets.exceptions import InvalidStatus

from gateway.access.account_admin import ensure_admin
from runtime.kafka import Kafka
from tests.support.accounts import UserCommand
from tests.support.gateway import PASSWORD, SECRET, Gateway, gateway
from tests.support.waiting import wait_until

REVOKED_SECONDS = 5
NOTE = {"type": "a", "title": "b", "message": "c", "level": "info"}


@pytest.fixture(scope="module")
def user(tables: str) -> UserCommand:
    """The operator's command."""
    return UserCommand(tables)


def added(user: UserCommand, name: str, role: str = "viewer") -> None:
    code, _, err = user("add", name, "--role", role, "--password-stdin", typed=PASSWORD)
    assert code == 0, err


def status(server: Gateway, token: str, path: str = "/api/v1/media/stats") -> int:
    with server.http(token) as http:
        return http.get(path).status_code


def answer(server: Gateway, name: str, password: str = PASSWORD) -> tuple[int, dict[str, Any]]:
    with server.http() as http:
        answer = http.post("/api/v1/auth/login", json={"username": name, "password": password})
    return answer.status_code, {key: value for key, value in answer.json().items() if key != "request_id"}


def logged(server: Gateway, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


@pytest.mark.parametrize(
    "change",
    [("disable", "{}"), ("role", "{}", "viewer"), ("password", "{}", "--generate")],
    ids=["disabled", "demoted", "another password"],
)
def test_an_account_that_loses_a_right_is_signed_out_at_every_gateway_within_five_seconds(
    server: Gateway, second: Gateway, user: UserCommand, change: tuple[str, ...]
) -> None:
    name = f"out-{change[0]}"
    added(user, name, "admin")
    with server.http() as http:
        signed_in = http.post("/api/v1/auth/login", json={"username": name, "password": PASSWORD}).json()
    token = signed_in["token"]
    with server.client(token) as here, second.client(token) as there:
        here.subscribe("media_updates")
        there.subscribe("media_updates")
        assert (status(server, token), status(second, token)) == (200, 200)
        assert user(*(part.format(name) for part in change))[0] == 0
        assert (here.close_code(REVOKED_SECONDS), there.close_code(REVOKED_SECONDS)) == (4003, 4003)
    assert (status(server, token), status(second, token)) == (401, 401)
    with server.http() as http:
        again = http.post("/api/v1/auth/refresh", json={"refresh_token": signed_in["refresh_token"]})
    assert again.status_code == 401
    with second.client(token) as back:
        assert back.close_code() == 4001


def test_others_stay_signed_in(server: Gateway, user: UserCommand, token: str) -> None:
    added(user, "gone")
    lost = server.sign_in("gone")
    with server.client(token) as client:
        client.subscribe("media_updates")
        user("disable", "gone")
        wait_until(lambda: status(server, lost) == 401, REVOKED_SECONDS, what="the disabled account to be out")
        client.send(type="ping")
        assert client.receive_type("pong")
    assert status(server, token) == 200


def test_signing_out_ends_the_token_here_at_once_and_at_other_gateways_soon(
    server: Gateway, second: Gateway
) -> None:
    token = server.sign_in()
    with second.client(token) as there, server.http(token) as http:
        there.subscribe("media_updates")
        assert http.post("/api/v1/auth/logout").status_code == 200
        assert status(server, token) == 401
        assert there.close_code(REVOKED_SECONDS) == 4003


def test_a_gateway_that_starts_later_knows_who_is_out(
    server: Gateway, log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    token = server.sign_in()
    with server.http(token) as http:
        http.post("/api/v1/auth/logout")
    folder = tmp_path_factory.mktemp("gateway")
    later = gateway(log, tables, folder, {"TOKEN_SECRET": SECRET})
    later.start()
    try:
        wait_until(lambda: status(later, token) == 401, REVOKED_SECONDS, what="the ended session to be known")
    finally:
        later.kill()


def test_a_refresh_token_that_two_have_ends_the_session_at_every_gateway(
    server: Gateway, second: Gateway, tables: str
) -> None:
    with server.http() as http, second.http() as other:
        stolen = http.post("/api/v1/auth/login", json={"username": "admin", "password": PASSWORD}).json()
        mine = http.post("/api/v1/auth/refresh", json={"refresh_token": stolen["refresh_token"]}).json()
        with psycopg.connect(tables) as connection:  # a minute later
            connection.execute("UPDATE sessions SET refreshed_at = refreshed_at - interval '1 minute'")
        with server.client(mine["token"]) as here, second.client(mine["token"]) as there:
            here.subscribe("media_updates")
            there.subscribe("media_updates")
            thief = other.post("/api/v1/auth/refresh", json={"refresh_token": stolen["refresh_token"]})
            assert thief.status_code == 401
            assert (here.close_code(REVOKED_SECONDS), there.close_code(REVOKED_SECONDS)) == (4003, 4003)
        after = http.post("/api/v1/auth/refresh", json={"refresh_token": mine["refresh_token"]})
        assert after.status_code == 401
    assert (status(server, mine["token"]), status(second, mine["token"])) == (401, 401)
    assert logged(second, "a refresh token was used twice: its session has ended")[-1]["name"] == "admin"


def test_a_gateway_that_starts_without_the_database_takes_no_token_until_it_knows_who_is_out(
    server: Gateway, log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    token = server.sign_in()
    with server.http(token) as http:
        http.post("/api/v1/auth/logout")
    away = gateway(log, "postgresql://nobody@127.0.0.1:1/none", tmp_path_factory.mktemp("gateway"))
    away.launch()
    try:
        wait_until(lambda: "database" in (away.unready() or {}), 30, what="an answer")
        wait_until(lambda: "log" not in (away.unready() or {"log": ""}), 30, what="the log followed")
        assert status(away, token, "/api/v1/topics/lag") == 503
        with pytest.raises(InvalidStatus) as refused, away.client(token):
            pass
        assert refused.value.response.status_code == 503
    finally:
        away.kill()


def test_a_disabled_account_is_answered_as_a_wrong_password_is_and_enabled_signs_in(
    server: Gateway, user: UserCommand
) -> None:
    added(user, "carol")
    user("disable", "carol")
    disabled = answer(server, "carol")
    assert disabled == answer(server, "carol", "no") == answer(server, "nobody-at-all", "no")
    assert disabled == (401, {"error": "invalid_credentials", "message": "wrong user name or password"})
    user("enable", "carol")
    assert answer(server, "carol")[0] == 200


def test_a_user_reads_and_an_administrator_also_writes(server: Gateway, user: UserCommand) -> None:
    added(user, "dora")
    with server.http(server.sign_in("DORA")) as http:
        assert http.get("/api/v1/media/stats").status_code == 200
        assert http.get("/api/v1/auth/permissions").json()["is_admin"] is False
        assert http.post("/api/v1/notifications", json=NOTE).status_code == 403
        assert http.patch("/api/v1/media/1", json={"title": "mine"}).status_code == 403
    user("role", "dora", "admin")
    with server.http(server.sign_in("dora")) as http:
        assert http.get("/api/v1/auth/permissions").json()["is_admin"] is True
        assert http.post("/api/v1/notifications", json=NOTE).status_code == 201


def test_an_account_without_an_address_is_shown_with_an_empty_one(server: Gateway, user: UserCommand) -> None:
    added(user, "erik")
    with server.http(server.sign_in("erik")) as http:
        assert http.get("/api/v1/auth/profile").json()["email"] == ""


def test_sign_ins_are_logged_with_address_and_name(server: Gateway, user: UserCommand) -> None:
    added(user, "frida9876")
    answer(server, "frida9876")
    answer(server, "Frida9876", "no")
    answer(server, "root", "no")
    answer(server, "My-Password-4711", "no")
    good = logged(server, "signed in")[-1]
    assert (good["level"], good["name"], good["address"]) == ("info", "frida9876", "127.0.0.1")
    refused = logged(server, "sign-in refused")[-3:]
    assert [(line["level"], line["name"], line["address"], line["why"]) for line in refused] == [
        ("warning", "frida9876", "127.0.0.1", "wrong password"),
        ("warning", "root", "127.0.0.1", "no such account"),
        ("warning", "[not shown: no such account]", "127.0.0.1", "no such account"),
    ]
    assert "My-Password-4711" not in server.log.read_text()


def test_an_account_changed_while_its_password_was_checked_opens_no_session(
    server: Gateway, user: UserCommand, tables: str
) -> None:
    added(user, "greta")
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%INTO sessions%%'"
    )
    with psycopg.connect(tables) as changing, psycopg.connect(tables, autocommit=True) as looking:
        changing.execute("UPDATE users SET disabled = true WHERE username = 'greta'")  # not committed yet
        with ThreadPoolExecutor() as threads:
            trying = threads.submit(answer, server, "greta")
            wait_until(lambda: looking.execute(waiting).fetchone() == (1,), 10, what="the sign-in to wait")
            changing.commit()
            assert trying.result()[0] == 401
    assert logged(server, "sign-in refused")[-1]["why"] == "changed meanwhile"


def test_an_administrator_s_password_is_changed_by_the_setting_s_word(tables: str, server: Gateway) -> None:
    asyncio.run(ensure_admin(tables, "another password"))
    assert server.sign_in(password="another password")
    asyncio.run(ensure_admin(tables, PASSWORD))
    assert server.sign_in()
