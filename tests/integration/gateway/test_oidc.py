"""Signing in with a provider: the right way, and the exact answer to everything that can be wrong.

The provider is one of ours, with faults as configured (`tests.support.oidc_provider`); a real one: `test_keycloak`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from runtime.kafka import Kafka
from tests.support.accounts import UserCommand
from tests.support.gateway import PASSWORD, Gateway, gateway
from tests.support.gateway_fixtures import log, tables, token
from tests.support.oidc_fixtures import its_keys, provider, second, server, settings
from tests.support.oidc_provider import OidcProvider, Person
from tests.support.signing_in import OIDC, Signing, with_query

__all__ = ["its_keys", "log", "provider", "second", "server", "settings", "tables", "token"]

REVOKED_SECONDS = 5


def profile(server: Gateway, token: str) -> dict[str, Any]:
    with server.http(token) as http:
        answer = http.get("/api/v1/auth/profile")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def refresh(server: Gateway, body: dict[str, Any]) -> httpx.Response:
    with server.http() as http:
        return http.post("/api/v1/auth/refresh", json={"refresh_token": body["refresh_token"]})


def sessions(tables: str) -> int:
    with psycopg.connect(tables) as connection:
        row = connection.execute("SELECT count(*) FROM sessions").fetchone()
    assert row is not None
    count: int = row[0]
    return count


# Doing it right.


def test_a_person_who_signs_in_with_the_provider_gets_an_account_with_the_rights_of_the_groups(
    server: Gateway, provider: OidcProvider, tables: str
) -> None:
    provider.user = Person("0002", "bea@example.com", ["staff", "editors", "knitting"])
    body = Signing(server).sign_in()
    assert body["user"]["username"] == "corp:bea"
    assert body["user"]["role"] == {"id": 3, "name": "Operator"}
    assert body["expires_in"] <= 600
    assert profile(server, body["token"])["username"] == "corp:bea"
    with psycopg.connect(tables) as connection:
        row = connection.execute(
            "SELECT channels, libraries, storage_roots, password_hash, method, address FROM users"
            " JOIN sessions ON user_id = id WHERE username = 'corp:bea'"
        ).fetchone()
    assert row == (["*", "media_updates"], ["films", "music"], [], None, "oidc:corp", "127.0.0.1")
    with server.client(body["token"]) as client:
        assert client.subscribe("media_updates")["type"] == "subscribed"


def test_the_same_person_is_the_same_account_whatever_he_is_called_now(
    server: Gateway, provider: OidcProvider
) -> None:
    provider.user = Person("0003", "carla", ["staff"], {"email": "carla@example.com"})
    first = Signing(server).sign_in()["user"]
    provider.user = Person("0003", "renamed", ["staff"], {"email": "new@example.com"})
    assert Signing(server).sign_in()["user"] == first
    provider.user = Person("0004", "carla", ["staff"], {"email": "carla@example.com"})
    other = Signing(server).sign_in()["user"]
    assert other["id"] != first["id"]
    assert other["username"].startswith("corp:carla-")


def test_nobody_takes_over_an_account_of_ours_by_its_name_or_its_address(
    server: Gateway, provider: OidcProvider, tables: str
) -> None:
    user = UserCommand(tables)
    assert user("add", "corp:dora", "--role", "admin", "--password-stdin", typed=PASSWORD)[0] == 0
    for subject, name in (("0005", "corp:dora"), ("0006", "dora"), ("0007", "admin")):
        provider.user = Person(subject, name, ["staff"], {"email": "admin@localhost", "email_verified": True})
        shown = Signing(server).sign_in()["user"]
        assert shown["role_id"] == 2
        assert shown["username"] not in ("admin", "corp:dora")
        assert shown["email"] == ""


def test_a_sign_in_that_began_at_one_gateway_ends_at_another(
    server: Gateway, second: Gateway, provider: OidcProvider
) -> None:
    browser = Signing(server)
    came_back = browser.come_back(browser.authorized(browser.start()), second)
    answer = browser.exchange(came_back, second)
    assert answer.status_code == 200, answer.text
    assert profile(server, answer.json()["token"])["username"] == "corp:alice"


def test_the_page_learns_which_providers_there_are(server: Gateway) -> None:
    with server.http() as http:
        shown = http.get(OIDC).json()["providers"]
    start = f"{server.url}{OIDC}/corp/start"
    assert shown[0] == {"id": "corp", "name": "Example Corp", "start": start}


def test_tokens_stand_in_no_address_and_the_cookie_is_for_nobody_s_scripts(
    server: Gateway, provider: OidcProvider
) -> None:
    browser = Signing(server)
    started = browser.start()
    cookie = started.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "max-age=600" in cookie
    query = dict(httpx.URL(started.headers["location"]).params)
    assert (query["code_challenge_method"], query["response_type"]) == ("S256", "code")
    came_back = browser.come_back(browser.authorized(started))
    assert came_back.headers["cache-control"] == "no-store"
    body = browser.exchange(came_back).json()
    place = came_back.headers["location"]
    assert urlsplit(place).query == "" and body["token"] not in place and body["refresh_token"] not in place
    for secret in (body["token"], body["refresh_token"], urlsplit(place).fragment, query["state"], query["nonce"]):
        assert secret not in server.log.read_text()


def test_behind_tls_the_cookie_is_of_this_host_alone(
    log: Kafka, tables: str, settings: dict[str, str], provider: OidcProvider, tmp_path: Path
) -> None:
    server = gateway(log, tables, tmp_path, {**settings, "PUBLIC_URL": "https://media.example/catalog"})
    server.start()
    try:
        browser = Signing(server)
        started = browser.start()
        name, _, rest = started.headers["set-cookie"].partition("=")
        assert name == "__Host-catalogizer-sign-in"
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= set(rest.lower().split("; "))
        assert "domain" not in rest.lower()
        back = "https://media.example/catalog/api/v1/auth/oidc/corp/callback"
        assert httpx.URL(started.headers["location"]).params["redirect_uri"] == back
        address = browser.authorized(started).replace("https://media.example/catalog", server.url)
        bound = {"Cookie": started.headers["set-cookie"].partition(";")[0]}
        came_back = httpx.get(address, headers=bound)
        assert came_back.headers["location"].startswith("https://media.example/catalog/#signed-in=")
        assert came_back.headers["set-cookie"].startswith("__Host-")
        plain = {"Cookie": bound["Cookie"].removeprefix("__Host-")}
        is_refused(httpx.get(address, headers=plain))
        logged = [json.loads(line) for line in server.log.read_text().splitlines() if "oidc:corp" in line]
        assert [line["event"] for line in logged] == ["signed in", "sign-in refused"]
        assert (logged[0]["name"], logged[1]["why"]) == (
            "corp:alice",
            "a browser that did not begin this sign-in, or too long ago",
        )
    finally:
        server.kill()


# Doing it wrong: 400, no session.

WRONG_ID_TOKENS: dict[str, dict[str, Any]] = {
    "another nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "another audience": {"claims": {"aud": "others"}},
    "several audiences and no word for whom": {"claims": {"aud": ["catalogizer", "others"]}},
    "for another party": {"claims": {"aud": ["catalogizer", "others"], "azp": "others"}},
    "at_hash of another token": {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "expired by 31 s": {"claims": {"exp": int(time.time()) - 31}},
    "no expiry": {"claims": {"exp": None}},
    "an expiry that is no time": {"claims": {"exp": "later"}},
    "of the future": {"claims": {"iat": int(time.time()) + 3_600}},
    "no subject": {"claims": {"sub": None}},
    "a subject that is no text": {"claims": {"sub": 7}},
    "an empty subject": {"claims": {"sub": ""}},
    "a subject without end": {"claims": {"sub": "x" * 300}},
    "algorithm none": {"forged": "none"},
    "HS256 with the public key": {"forged": "public key"},
    "another's key under its name": {"forged": "other key"},
    "an unknown kid": {"header": {"kid": "made-up"}},
    "no kid": {"header": {"kid": None}},
    "a key in the token": {"header": {"jku": "https://evil.example/keys"}},
    "an access token's type": {"header": {"typ": "at+jwt"}},
    "a logout token's event": {"claims": {"events": {}}},
    "none at all": {"no_id_token": True},
}


@pytest.mark.parametrize("fault", WRONG_ID_TOKENS)
def test_an_invalid_id_token_opens_no_session(
    server: Gateway, provider: OidcProvider, tables: str, fault: str
) -> None:
    before = sessions(tables)
    for name, value in WRONG_ID_TOKENS[fault].items():
        setattr(provider.faults, name, value)
    browser = Signing(server)
    is_refused(browser.come_back(browser.authorized(browser.start())))
    assert sessions(tables) == before


def is_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() == {"error", "message", "request_id"}
    assert answer.json()["error"] == "bad_sign_in"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "another"},
        {"state": None},
        {"code": None},
        {"code": "made-up"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"error": "invalid_request"},
    ],
    ids=str,
)
def test_what_comes_back_changed_opens_no_session(
    server: Gateway, provider: OidcProvider, tables: str, changes: dict[str, str | None]
) -> None:
    before = sessions(tables)
    browser = Signing(server)
    is_refused(browser.come_back(with_query(browser.authorized(browser.start()), **changes)))
    assert sessions(tables) == before


def test_a_parameter_that_comes_twice_opens_no_session(server: Gateway, provider: OidcProvider) -> None:
    browser = Signing(server)
    address = browser.authorized(browser.start())
    is_refused(browser.come_back(f"{address}&state={httpx.URL(address).params['state']}"))


def test_another_browser_cannot_finish_a_sign_in_nor_fetch_its_tokens(
    server: Gateway, provider: OidcProvider, tables: str
) -> None:
    """Login CSRF, and a code that somebody else has seen."""
    before = sessions(tables)
    victim, attacker = Signing(server), Signing(server)
    is_refused(victim.come_back(attacker.authorized(attacker.start())))
    victim.start()  # with a sign-in of its own under way
    is_refused(victim.come_back(attacker.authorized(attacker.start())))
    assert sessions(tables) == before
    came_back = attacker.come_back(attacker.authorized(attacker.start()))
    is_refused(victim.exchange(came_back))
    assert attacker.exchange(came_back).status_code == 200


def test_a_code_of_another_sign_in_fails_by_its_challenge(server: Gateway, provider: OidcProvider) -> None:
    """PKCE: a stolen code is worthless in another browser's sign-in."""
    victim, attacker = Signing(server), Signing(server)
    stolen = httpx.URL(victim.authorized(victim.start())).params["code"]
    address = attacker.authorized(attacker.start())
    is_refused(attacker.come_back(with_query(address, code=stolen)))


def test_the_nonce_holds_where_a_provider_does_not_look_at_the_challenge(
    server: Gateway, provider: OidcProvider
) -> None:
    provider.faults.any_verifier = True
    victim, attacker = Signing(server), Signing(server)
    stolen = httpx.URL(victim.authorized(victim.start())).params["code"]
    is_refused(attacker.come_back(with_query(attacker.authorized(attacker.start()), code=stolen)))


def test_a_sign_in_is_finished_once_and_its_code_exchanged_once(server: Gateway, provider: OidcProvider) -> None:
    provider.faults.code_twice = True  # whatever the provider does with it
    browser = Signing(server)
    address = browser.authorized(browser.start())
    cookies = httpx.Cookies(browser.cookies)
    came_back = browser.come_back(address)
    bound = httpx.Cookies(browser.cookies)
    assert browser.exchange(came_back).status_code == 200
    is_refused(browser.exchange(came_back))
    browser.cookies = bound
    is_refused(browser.exchange(came_back))
    browser.cookies = cookies
    is_refused(browser.come_back(address))


def test_what_a_sign_in_carries_is_of_one_provider_and_cannot_be_changed(
    server: Gateway, provider: OidcProvider
) -> None:
    browser = Signing(server)
    address = browser.authorized(browser.start())
    is_refused(browser.come_back(address.replace("/corp/", "/closed/")))
    as_closed(provider)  # in all but the provider it began with (mix-up, RFC 9700, section 4.4)
    provider.faults.any_verifier = True
    is_refused(browser.come_back(browser.authorized(browser.start()).replace("/corp/", "/closed/")))
    provider.honest()
    browser.start()
    name, value = next(iter(browser.cookies.items()))
    browser.cookies.clear()
    browser.cookies.set(name, value[:-6] + "AAAAAA", domain="127.0.0.1")
    is_refused(browser.come_back(address))


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "..",
        "a/b",
        "x@evil.example",
        "a?b",
        "%0d%0aX: y",
    ],
)
def test_a_foreign_page_to_return_to_is_refused(server: Gateway, page: str) -> None:
    is_refused(Signing(server).start(page=page))


def test_a_page_of_ours_is_returned_to(server: Gateway, provider: OidcProvider) -> None:
    browser = Signing(server)
    came_back = browser.come_back(browser.authorized(browser.start(page="index.html")))
    assert came_back.headers["location"].startswith(f"{server.url}/index.html#signed-in=")


def test_the_host_header_does_not_decide_where_a_browser_goes(server: Gateway, provider: OidcProvider) -> None:
    started = httpx.get(f"{server.url}{OIDC}/corp/start", headers={"Host": "evil.example"})
    assert httpx.URL(started.headers["location"]).params["redirect_uri"] == f"{server.url}{OIDC}/corp/callback"


def test_an_unknown_provider_is_not_there(server: Gateway) -> None:
    for path in ("evil/start", "evil/callback", "..%2Fcorp/start"):
        assert httpx.get(f"{server.url}{OIDC}/{path}").status_code == 404


# Who may not come in.


def test_a_person_without_a_mapped_group_is_refused_and_has_no_account(
    server: Gateway, provider: OidcProvider, tables: str
) -> None:
    provider.user = Person("0008", "erin", ["knitting"])
    assert Signing(server).refused() == "no_rights"
    with psycopg.connect(tables) as connection:
        assert connection.execute("SELECT FROM users WHERE username LIKE 'corp:erin%'").rowcount == 0


def test_a_person_who_declines_is_shown_that(server: Gateway, provider: OidcProvider) -> None:
    provider.faults.error = "access_denied"
    assert Signing(server).refused() == "declined"


def test_who_is_disabled_here_does_not_come_in(server: Gateway, provider: OidcProvider, tables: str) -> None:
    provider.user = Person("0009", "fay", ["staff"])
    body = Signing(server).sign_in()
    with server.client(body["token"]) as client:
        assert UserCommand(tables)("disable", "corp:fay")[0] == 0
        assert client.close_code(REVOKED_SECONDS) == 4003
    assert Signing(server).refused() == "disabled"


def as_closed(provider: OidcProvider) -> str:
    """Give it the name of the provider `closed`; returns that."""
    issuer = f"http://localhost:{provider.port}"
    places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
    provider.faults.document = {"issuer": issuer, **{name: f"{issuer}/{path}" for name, path in places.items()}}
    provider.faults.document["end_session_endpoint"] = None
    provider.faults.redirect = {"iss": issuer}
    provider.faults.claims = {"iss": issuer}
    return issuer


def test_where_first_sign_ins_are_refused_who_is_not_known_stays_out(
    server: Gateway, provider: OidcProvider, tables: str
) -> None:
    issuer = as_closed(provider)
    provider.user = Person("0010", "gil", ["staff"])
    assert Signing(server, "closed").refused() == "no_account"
    code, _, err = UserCommand(tables)("link", "admin", issuer, "0010")
    assert code == 0, err
    assert Signing(server, "closed").sign_in()["user"]["username"] == "admin"


# Afterwards.


def test_a_refresh_checks_with_the_provider_and_applies_the_present_groups(
    server: Gateway, provider: OidcProvider
) -> None:
    provider.user = Person("0011", "hal", ["editors"])
    body = Signing(server).sign_in()
    provider.user.groups[:] = ["staff"]
    due(server, "0011")
    again = refresh(server, body)
    assert again.status_code == 200, again.text
    assert again.json()["user"]["role_id"] == 2
    assert again.json()["expires_in"] <= 600


def test_who_was_disabled_at_the_provider_is_out_at_the_next_refresh(
    server: Gateway, provider: OidcProvider
) -> None:
    provider.user = Person("0012", "ida", ["staff"])
    body = Signing(server).sign_in()
    with server.client(body["token"]) as client:
        provider.disabled.add("0012")
        due(server, "0012")
        assert refresh(server, body).status_code == 401
        assert client.close_code(REVOKED_SECONDS) == 4003
    assert refresh(server, body).status_code == 401


def test_who_lost_his_groups_is_out_at_the_next_refresh(server: Gateway, provider: OidcProvider) -> None:
    provider.user = Person("0013", "jon", ["staff"])
    body = Signing(server).sign_in()
    provider.user.groups.clear()
    due(server, "0013")
    assert refresh(server, body).status_code == 401


def test_a_role_that_was_lost_ends_the_sessions_that_were_opened_with_it(
    server: Gateway, provider: OidcProvider
) -> None:
    provider.user = Person("0014", "kim", ["media-admins"])
    body = Signing(server).sign_in()
    with server.client(body["token"]) as client:
        provider.user.groups[:] = ["staff"]
        Signing(server).sign_in()
        assert client.close_code(REVOKED_SECONDS) == 4003


def test_a_provider_that_is_away_ends_no_session(server: Gateway, provider: OidcProvider) -> None:
    provider.user = Person("0015", "lea", ["staff"])
    body = Signing(server).sign_in()
    provider.stop()
    due(server, "0015")
    again = refresh(server, body)
    assert again.status_code == 200, again.text
    due(server, "0015", 25)
    assert refresh(server, again.json()).status_code == 503
    provider.honest()
    due(server, "0015")
    assert refresh(server, again.json()).status_code == 200


def test_a_session_ends_after_its_hours_however_often_it_is_refreshed(
    server: Gateway, provider: OidcProvider
) -> None:
    provider.user = Person("0016", "max", ["staff"])
    Signing(server).sign_in()
    with psycopg.connect(server.environment["CATALOGIZER_DATABASE__URL"]) as connection:
        row = connection.execute(
            "SELECT ends_at - created_at, expires_at <= ends_at FROM sessions JOIN external_sessions"
            " USING (session_id) WHERE subject = '0016'"
        ).fetchone()
    assert row is not None
    assert (row[0].total_seconds(), row[1]) == (12 * 3_600, True)


def due(server: Gateway, subject: str, hours_without_answer: int = 0) -> None:
    """Make the next check due, as though time had passed."""
    with psycopg.connect(server.environment["CATALOGIZER_DATABASE__URL"]) as connection:
        connection.execute(
            "UPDATE external_sessions SET asked_at = now() - interval '1 hour',"
            " answered_at = now() - make_interval(hours => %s::int) WHERE subject = %s",
            (hours_without_answer, subject),
        )


# The provider signs somebody out.


def logout(server: Gateway, token: str, provider: str = "corp") -> httpx.Response:
    return httpx.post(f"{server.url}{OIDC}/{provider}/backchannel-logout", data={"logout_token": token})


def test_a_logout_at_the_provider_closes_sockets_at_every_gateway(
    server: Gateway, second: Gateway, provider: OidcProvider
) -> None:
    provider.user = Person("0020", "nia", ["staff"])
    body = Signing(server).sign_in()
    other = Person("0020", "nia", ["staff"])
    with server.client(body["token"]) as here, second.client(body["token"]) as there:
        provider.user, mine = other, provider.user
        elsewhere = Signing(server).sign_in()  # of another session at the provider
        provider.user = mine
        assert logout(server, provider.logout_token()).status_code == 200
        assert here.close_code(1) == 4003
        assert there.close_code(REVOKED_SECONDS) == 4003
    assert refresh(server, body).status_code == 401
    assert profile(server, elsewhere["token"])["username"] == "corp:nia"
    assert logout(server, provider.logout_token(sid=None)).status_code == 200
    with server.http(elsewhere["token"]) as http:
        assert http.get("/api/v1/auth/profile").status_code == 401


WRONG_LOGOUT: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "others"},
    "no audience": {"aud": None},
    "no time": {"iat": None},
    "of long ago": {"iat": int(time.time()) - 3_600, "exp": None},
    "of the future": {"iat": int(time.time()) + 3_600},
    "expired": {"exp": int(time.time()) - 60},
    "no id": {"jti": None},
    "no event": {"events": None},
    "another event": {"events": {"https://evil.example": {}}},
    "an event that is none": {"events": {"http://schemas.openid.net/event/backchannel-logout": 1}},
    "with a nonce": {"nonce": "x"},
    "of nobody": {"sub": None, "sid": None},
    "a session that is no text": {"sid": 7},
}


@pytest.mark.parametrize("fault", WRONG_LOGOUT)
def test_an_invalid_logout_token_ends_nothing(server: Gateway, provider: OidcProvider, fault: str) -> None:
    body = Signing(server).sign_in()
    answer = logout(server, provider.logout_token(**WRONG_LOGOUT[fault]))
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() == {"error", "message", "request_id"}
    assert profile(server, body["token"])["username"] == "corp:alice"


def test_forged_logout_tokens_end_nothing(server: Gateway, provider: OidcProvider) -> None:
    body = Signing(server).sign_in()
    claims = provider.logout_claims()
    for forged in (
        provider.unsigned(claims, typ="logout+jwt"),
        provider.signed_with_public_key(claims, "logout+jwt"),
        provider.logout_token(header={"typ": "at+jwt"}),
        provider.logout_token(header={"kid": "made-up"}),
        "abc",
        "",
    ):
        assert logout(server, forged).status_code == 400
    with server.http() as http:
        place = f"{OIDC}/corp/backchannel-logout"
        assert http.post(place, json={"logout_token": "x"}).status_code == 415
        assert http.post(place, data={"logout_token": "x" * 30_000}).status_code == 413
    assert profile(server, body["token"])["username"] == "corp:alice"


def test_a_logout_token_counts_once(server: Gateway, second: Gateway, provider: OidcProvider) -> None:
    token = provider.logout_token()
    assert logout(server, token).status_code == 200
    assert logout(second, token).status_code == 400


def test_a_sign_in_of_before_the_logout_does_not_come_in_after_it(server: Gateway, provider: OidcProvider) -> None:
    provider.user = Person("0021", "oda", ["staff"])
    provider.faults.claims = {"iat": int(time.time()) - 10}
    browser = Signing(server)
    address = browser.authorized(browser.start())
    assert logout(server, provider.logout_token()).status_code == 200
    assert browser.come_back(address).headers["location"].endswith("#sign-in-refused=signed_out")


# The provider is away, or is not what it should be: 503 for those who need it, and no effect on anybody else.


def test_a_provider_that_is_away_is_one_clear_503_and_keeps_nobody_waiting(
    server: Gateway, provider: OidcProvider
) -> None:
    Signing(server).sign_in()
    browser = Signing(server)
    address = browser.authorized(browser.start())
    provider.faults.slow_seconds = 7
    began = time.monotonic()
    with server.http() as http:
        with_password = http.post("/api/v1/auth/login", json={"username": "admin", "password": PASSWORD})
        assert with_password.status_code == 200
    answer = browser.come_back(address)
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"] == "provider_unavailable"
    assert time.monotonic() - began < 8
    provider.faults.slow_seconds = 0


@pytest.mark.parametrize("fault", [{"bytes": 300_000}, {"status": 500}, {"status": 307}], ids=str)
def test_an_answer_that_is_none_is_503(server: Gateway, provider: OidcProvider, fault: dict[str, int]) -> None:
    Signing(server).sign_in()
    browser = Signing(server)
    address = browser.authorized(browser.start())
    for name, value in fault.items():
        setattr(provider.faults, name, value)
    assert browser.come_back(address).status_code == 503
