"""Access tokens of a provider, presented to REST and sockets: which are valid, what they may do, and how they end.

More mutants than CI checks: `CATALOGIZER_MUTANTS=100000 python -m pytest tests/integration/gateway/test_oidc_bearer.py -k
mutants` (and `CATALOGIZER_MUTANTS_SEED`)."""

from __future__ import annotations

import json
import os
import statistics
import time
from contextlib import ExitStack
from typing import Any

import httpx
import psycopg
import pytest
from joserfc.jwk import RSAKey
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.accounts import UserCommand
from tests.support.gateway import Client, Gateway
from tests.support.gateway_fixtures import log, tables
from tests.support.oidc_fixtures import its_keys, provider, second, server, settings
from tests.support.oidc_provider import CLIENT, OidcProvider, Person
from tests.support.signing_in import OIDC, Signing
from tests.support.token_mutator import mutants
from tests.support.waiting import wait_until

__all__ = ["its_keys", "log", "provider", "second", "server", "settings", "tables"]

REVOKED_SECONDS = 5
KEYS_AGAIN_SECONDS = 5
MUTANTS = int(os.environ.pop("CATALOGIZER_MUTANTS", "1500"))
SEED = int(os.environ.pop("CATALOGIZER_MUTANTS_SEED", "26"))


def status(server: Gateway, token: str, path: str = "/api/v1/auth/profile") -> int:
    with server.http(token) as http:
        return http.get(path).status_code


def closed_with(server: Gateway, token: str) -> tuple[int, str | None]:
    with connect(f"{server.ws_url}?token={token}", compression=None) as socket:
        return Client(socket).close_code(), socket.close_reason


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("rsa", "RS256"), ("rsa", "RS384"), ("rsa", "RS512"), ("rsa", "PS256"), ("rsa", "PS384"), ("rsa", "PS512"),
     ("ec", "ES256"), ("ec3", "ES384"), ("okp", "EdDSA"), ("okp", "Ed25519")],
)  # fmt: skip
def test_a_token_of_the_provider_opens_rest_and_sockets(
    server: Gateway, provider: OidcProvider, kind: str, algorithm: str
) -> None:
    header = {"kid": provider.kid(kind), "alg": algorithm}
    wait_until(lambda: status(server, provider.access_token(header=header)) == 200, 12, what="the keys")
    token = provider.access_token(header=header)
    with server.client(token) as client:
        assert client.subscribe("media_updates")["type"] == "subscribed"
    with server.http(token) as http:
        shown = http.get("/api/v1/auth/status").json()
        assert (shown["authenticated"], shown["user"]["username"]) == (True, "corp:alice")
        assert http.get("/api/v1/auth/permissions").json()["role"] == "Viewer"


def test_the_groups_in_a_token_apply_to_this_token_only(server: Gateway, provider: OidcProvider) -> None:
    own = Signing(server).sign_in()
    admin = provider.access_token(groups=["media-admins"])
    assert status(server, admin, "/api/v1/replay/none") != 403
    with server.http(admin) as http:
        assert http.get("/api/v1/auth/permissions").json()["is_admin"] is True
    with server.http(own["token"]) as http:
        assert http.get("/api/v1/auth/permissions").json()["is_admin"] is False
    with server.http(provider.access_token()) as http:
        assert http.get("/api/v1/auth/permissions").json()["is_admin"] is False


def test_a_machine_s_token_has_an_account_too(server: Gateway, provider: OidcProvider) -> None:
    machine = Person("service-7", "nightly-report", ["staff"])
    token = provider.access_token(machine, sid=None, client_id=None, azp="nightly")
    with server.http(token) as http:
        assert http.get("/api/v1/auth/profile").json()["username"] == "corp:nightly-report"


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an unknown kid": ({"kid": "made-up"}, {}),
    "no kid": ({"kid": None}, {}),
    "a key for another algorithm": ({"alg": "RS256", "kid": "ec"}, {}),
    "an address of keys": ({"jku": "https://evil.example/keys"}, {}),
    "a type of ours": ({"typ": "JWT"}, {}),
    "a logout token's type": ({"typ": "logout+jwt"}, {}),
    "no type": ({"typ": None}, {}),
    "another issuer": ({}, {"iss": "https://evil.example"}),
    "no issuer": ({}, {"iss": None}),
    "another audience": ({}, {"aud": "https://others.example"}),
    "the client's own audience": ({}, {"aud": CLIENT}),
    "no audience": ({}, {"aud": None}),
    "an audience that begins like ours": ({}, {"aud": "https://catalogizer.test.evil.example"}),
    "no expiry": ({}, {"exp": None}),
    "an expiry in words": ({}, {"exp": "tomorrow"}),
    "an endless expiry": ({}, {"exp": 2**70}),
    "no time": ({}, {"iat": None}),
    "of the future": ({}, {"iat": int(time.time()) + 3_600}),
    "not yet": ({}, {"nbf": int(time.time()) + 3_600}),
    "no subject": ({}, {"sub": None}),
    "a subject in a list": ({}, {"sub": ["0001"]}),
    "a subject with a line's end": ({}, {"sub": "0001\n"}),
    "no client": ({}, {"client_id": None}),
    "an ID token's nonce": ({}, {"nonce": "x"}),
    "an ID token's hash": ({}, {"at_hash": "x"}),
    "bound to a key": ({}, {"cnf": {"jkt": "x"}}),
    "a logout's event": ({}, {"events": {}}),
    "no group that counts": ({}, {"groups": ["knitting"]}),
    "groups that are no list": ({}, {"groups": {"media-admins": True}}),
}


def wrong(provider: OidcProvider, fault: str) -> str:
    header, claims = WRONG[fault]
    if header.get("kid") == "ec":
        return provider.sign(
            {"typ": "at+jwt", "kid": provider.kid("ec")}, provider.access_claims(), provider.keys[provider.kid()]
        )
    return provider.access_token(header=header, **claims)


@pytest.mark.parametrize("fault", WRONG)
def test_an_invalid_token_is_no_token(server: Gateway, provider: OidcProvider, fault: str) -> None:
    token = wrong(provider, fault)
    assert status(server, token) == 401
    assert closed_with(server, token) == (4001, "invalid token")


def test_a_forged_token_is_no_token(server: Gateway, provider: OidcProvider) -> None:
    claims = provider.access_claims()
    for forged in (
        provider.unsigned(claims, typ="at+jwt"),
        provider.signed_with_public_key(claims, "at+jwt"),
        provider.sign({"typ": "at+jwt"}, claims, RSAKey.generate_key(2048)),
        provider.access_token(padding="x" * 17_000),
    ):
        assert status(server, forged) == 401


def test_a_token_is_good_until_its_leeway_and_no_longer(server: Gateway, provider: OidcProvider) -> None:
    now = int(time.time())
    assert status(server, provider.access_token(exp=now - 20)) == 200
    assert status(server, provider.access_token(exp=now - 31)) == 401
    short = provider.access_token(exp=now - 28)
    assert status(server, short) == 200
    wait_until(lambda: status(server, short) == 401, 5, what="the end of the leeway")


def test_a_token_that_ends_while_connected_is_renewed_by_the_next(server: Gateway, provider: OidcProvider) -> None:
    soon = int(time.time()) + 3
    with server.client(provider.access_token(exp=soon)) as client:
        client.subscribe("media_updates")
        assert client.receive_type("auth_expiring")["expires_at"]
        client.send(type="auth", token=provider.access_token(Person("9999", "other", ["staff"])), ref=1)
        assert client.receive_type("error")["ref"] == 1
        client.send(type="auth", token=provider.access_token(), ref=2)
        assert client.receive_type("authenticated")["ref"] == 2
    with server.client(provider.access_token(exp=int(time.time()) + 2)) as client:
        client.subscribe("media_updates")
        assert client.close_code() == 4002


def test_all_tokens_of_one_client_for_one_person_share_the_limit_on_sockets(
    server: Gateway, provider: OidcProvider
) -> None:
    crowd = Person("0040", "crowd", ["staff"])
    with ExitStack() as sockets:
        for _ in range(16):
            sockets.enter_context(server.client(provider.access_token(crowd)))
        with pytest.raises(InvalidStatus) as refused, server.client(provider.access_token(crowd)):
            pass
        assert refused.value.response.status_code == 429
        with server.client(provider.access_token(crowd, client_id="another")) as client:
            assert client.subscribe("media_updates")["type"] == "subscribed"


def test_who_is_disabled_or_signs_out_is_out_at_every_gateway_and_tokens_of_later_come_in(
    server: Gateway, second: Gateway, provider: OidcProvider, tables: str
) -> None:
    person = Person("0041", "pia", ["staff"])
    token = provider.access_token(person, iat=int(time.time()) - 2)
    with server.client(token) as here, second.client(token) as there:
        assert UserCommand(tables)("disable", "corp:pia")[0] == 0
        assert here.close_code(REVOKED_SECONDS) == 4003
        assert there.close_code(REVOKED_SECONDS) == 4003
    assert (status(server, token), status(second, token)) == (401, 401)
    assert status(server, provider.access_token(person)) == 401
    assert UserCommand(tables)("enable", "corp:pia")[0] == 0
    assert status(second, token) == 401, "it was ended"
    wait_until(lambda: status(server, provider.access_token(person)) == 200, 3, what="a token of after that")
    newer = provider.access_token(person)
    with server.http(newer) as http:
        assert http.post("/api/v1/auth/logout").status_code == 200
    assert status(server, newer) == 401
    wait_until(lambda: status(second, newer) == 401, REVOKED_SECONDS, what="the other gateway to know")


def test_a_logout_at_the_provider_ends_bearer_tokens_known_and_not_known(
    server: Gateway, second: Gateway, provider: OidcProvider
) -> None:
    provider.user = Person("0042", "quin", ["staff"])
    token, unknown = provider.access_token(), provider.access_token(client_id="never seen")
    with server.client(token) as client:
        answer = httpx.post(
            f"{second.url}{OIDC}/corp/backchannel-logout", data={"logout_token": provider.logout_token()}
        )
        assert answer.status_code == 200
        assert client.close_code(REVOKED_SECONDS) == 4003
    assert (status(server, token), status(server, unknown)) == (401, 401)


def test_a_known_token_costs_no_query(server: Gateway, provider: OidcProvider) -> None:
    token = provider.access_token()
    assert status(server, token) == 200
    provider.stop()
    try:
        with server.http(token) as http:
            seconds = []
            for _ in range(50):
                began = time.perf_counter()
                assert http.get("/api/v1/auth/permissions").status_code == 200
                seconds.append(time.perf_counter() - began)
        assert statistics.median(seconds) < 0.02
    finally:
        provider.start()


def test_new_keys_are_fetched_when_a_token_names_one_and_not_for_every_made_up_name(
    server: Gateway, provider: OidcProvider
) -> None:
    assert status(server, provider.access_token()) == 200
    old = provider.access_token()
    provider.rotate()
    wait_until(lambda: status(server, provider.access_token()) == 200, KEYS_AGAIN_SECONDS + 3, what="the new keys")
    assert status(server, old) == 401
    provider.requests.clear()
    for n in range(50):
        assert status(server, provider.access_token(header={"kid": f"made-up-{n}"})) == 401
    assert provider.requests.count("/jwks") <= 1


def test_without_its_provider_a_key_that_is_known_is_good_and_another_is_503(
    server: Gateway, provider: OidcProvider
) -> None:
    wait_until(lambda: status(server, provider.access_token()) == 200, KEYS_AGAIN_SECONDS + 3, what="the keys")
    provider.stop()
    assert status(server, provider.access_token()) == 200
    made_up = provider.access_token(header={"kid": "made-up"})
    wait_until(lambda: status(server, made_up) == 503, KEYS_AGAIN_SECONDS + 3, what="a 503")
    with pytest.raises(InvalidStatus) as refused, server.client(made_up):
        pass
    assert refused.value.response.status_code == 503
    provider.honest()
    wait_until(lambda: status(server, made_up) == 401, KEYS_AGAIN_SECONDS + 3, what="the keys again")


def test_no_mutant_of_a_token_is_accepted_and_none_is_a_fault_of_ours(
    server: Gateway, provider: OidcProvider
) -> None:
    wait_until(lambda: status(server, provider.access_token()) == 200, KEYS_AGAIN_SECONDS + 3, what="the keys")
    good = [
        provider.access_token(header={"kid": provider.kid(kind), "alg": algorithm})
        for kind, algorithm in (("rsa", "RS256"), ("ec", "ES256"), ("okp", "EdDSA"), ("rsa", "PS512"))
    ]
    good += [Signing(server).sign_in()["token"], provider.logout_token()]
    answers: dict[int, list[str]] = {}
    with server.http() as http:
        for mutant in mutants(good, SEED, MUTANTS):
            answer = http.get("/api/v1/auth/profile", headers={"Authorization": f"Bearer {mutant}"})
            answers.setdefault(answer.status_code, []).append(mutant)
    assert answers.keys() == {401}, json.dumps({code: found[:3] for code, found in answers.items() if code != 401})
    for mutant in mutants(good, SEED + 1, 20):
        assert closed_with(server, mutant) == (4001, "invalid token")
    assert "Traceback" not in server.log.read_text()


def test_no_token_is_in_the_log_or_the_database(server: Gateway, provider: OidcProvider, tables: str) -> None:
    token = provider.access_token(Person("0043", "rae", ["staff"]))
    assert status(server, token) == 200
    body = Signing(server).sign_in()
    kept = ""
    with psycopg.connect(tables) as connection:
        for (table,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall():
            kept += str(connection.execute(f'SELECT * FROM "{table}"').fetchall())  # noqa: S608
    for secret in (token, token.split(".")[2], body["token"], body["refresh_token"], *provider.refresh_tokens):
        assert secret not in server.log.read_text()
        assert secret not in kept
