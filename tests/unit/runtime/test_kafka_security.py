"""What a client shows to brokers is looked at before it is shown: each fault is one line with the setting and the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.errors import SettingsError
from runtime.kafka import Kafka
from runtime.rights import principal
from runtime.settings import KafkaSettings
from tests.support.tls import DAY, NOW, Authority

PASSWORD = "S3CR3Tx"
OPEN = {"bootstrap_servers": "127.0.0.1:1"}
TOKENS = {
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "OAUTHBEARER",
    "sasl_oauthbearer_token_endpoint_url": "https://id.example/token",
    "sasl_oauthbearer_client_id": "media",
    "sasl_oauthbearer_client_secret": SecretStr(PASSWORD),
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def kafka(**values: Any) -> Kafka:
    return Kafka(KafkaSettings().model_copy(update=OPEN | values), "test")


def certified(authority: Authority, **values: Any) -> dict[str, Any]:
    certificate, key = authority.client("catalogizer-watch")
    shown = {
        "security_protocol": "SSL",
        "ssl_cafile": authority.file,
        "ssl_certfile": certificate,
        "ssl_keyfile": key,
    }
    return shown | values


def fault(of: Callable[[], object]) -> str:
    with pytest.raises(SettingsError) as refused:
        of()
    (reported,) = refused.value.faults
    assert PASSWORD not in reported
    return reported


def test_a_certificate_is_shown_with_its_key_beside_it_in_it_or_sealed(
    authority: Authority, tmp_path: Path
) -> None:
    certificate, sealed = authority.client("catalogizer-watch", password=PASSWORD)
    together = tmp_path / "both.pem"
    together.write_bytes(certificate.read_bytes() + sealed.read_bytes())
    for values in (
        certified(authority),
        certified(authority, ssl_certfile=certificate, ssl_keyfile=sealed, ssl_key_password=SecretStr(PASSWORD)),
        certified(authority, ssl_certfile=together, ssl_keyfile=None, ssl_key_password=SecretStr(PASSWORD)),
    ):
        assert kafka(**values).connection()["ssl_context"].get_ca_certs()


def test_whatever_is_wrong_with_a_file_is_one_line(authority: Authority, tmp_path: Path) -> None:
    certificate, sealed = authority.client("catalogizer-watch", password=PASSWORD)
    other, _ = authority.client("another")
    late = authority.client("catalogizer-late", NOW - DAY)
    store, empty, away = tmp_path / "store.p12", tmp_path / "empty.pem", tmp_path / "away.pem"
    store.write_bytes(b"0\x82\x0a\x00")
    empty.write_text("nothing")
    (tmp_path / "keys").write_bytes(b"\xfe\xed\xfe\xed")
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"ssl_cafile": away}, ["SSL_CAFILE", str(away), "No such file"]),
        ({"ssl_cafile": empty}, ["SSL_CAFILE", str(empty), "no certificate in PEM"]),
        ({"ssl_cafile": tmp_path / "keys"}, ["SSL_CAFILE", "key store of Java's", "keytool"]),
        ({"ssl_certfile": away}, ["SSL_CERTFILE", str(away), "No such file"]),
        ({"ssl_certfile": store}, ["SSL_CERTFILE", str(store), "key store of Java's", "openssl pkcs12"]),
        ({"ssl_certfile": empty}, ["SSL_CERTFILE", "no certificate in PEM"]),
        ({"ssl_certfile": None}, ["SSL_CERTFILE", "not set"]),
        ({"ssl_certfile": other}, ["SSL_KEYFILE", "not that of the certificate", str(other)]),
        ({"ssl_keyfile": away}, ["SSL_KEYFILE", str(away), "No such file"]),
        ({"ssl_keyfile": None}, ["SSL_CERTFILE", "has no key in PEM"]),
        ({"ssl_keyfile": sealed, "ssl_certfile": certificate}, ["SSL_KEY_PASSWORD", "not set", str(sealed)]),
        ({"ssl_keyfile": sealed, "ssl_certfile": certificate, "ssl_key_password": SecretStr("x")},
         ["SSL_KEY_PASSWORD", "does not open", str(sealed)]),
        ({"ssl_certfile": late[0], "ssl_keyfile": late[1]},
         ["SSL_CERTFILE", str(late[0]), "CN=catalogizer-late", f"ended on {NOW - DAY:%Y-%m-%d}", "have it renewed"]),
    ]  # fmt: skip
    for change, words in cases:
        reported = fault(kafka(**certified(authority, **change)).connection)
        assert [word for word in words if word not in reported] == [], reported


def test_what_a_way_to_sign_in_wants_is_named() -> None:
    with pytest.raises(SettingsError) as refused:
        kafka(security_protocol="SASL_SSL").connection()
    assert [text.partition(":")[0] for text in refused.value.faults] == [
        "kafka.sasl.username (CATALOGIZER_KAFKA__SASL_USERNAME)",
        "kafka.sasl.password (CATALOGIZER_KAFKA__SASL_PASSWORD)",
    ]
    for field in TOKENS.keys() - {"security_protocol", "sasl_mechanism"}:
        assert f"CATALOGIZER_KAFKA__{field.upper()}): not set" in fault(partial(kafka, **TOKENS | {field: None}))
    plain = {"sasl_oauthbearer_token_endpoint_url": "http://id.example/token"}
    assert "must begin with https://" in fault(partial(kafka, **TOKENS | plain))


def test_all_clients_of_a_process_have_one_source_of_tokens() -> None:
    tokens = kafka(**TOKENS, sasl_oauthbearer_extensions="logicalCluster=lkc-1,identityPoolId=pool-1")
    first, second = tokens.connection(), tokens.connection()
    assert first["sasl_oauth_token_provider"] is second["sasl_oauth_token_provider"]
    assert first["sasl_oauth_token_provider"].extensions() == {
        "logicalCluster": "lkc-1",
        "identityPoolId": "pool-1",
    }
    assert PASSWORD not in repr(tokens) + repr(tokens.tokens and tokens.tokens.client)


def test_whom_the_brokers_know_us_as(authority: Authority) -> None:
    assert principal(kafka()) == "User:ANONYMOUS"
    assert principal(kafka(**certified(authority))) == "User:CN=catalogizer-watch"
    assert principal(kafka(**certified(authority, principal="watch"))) == "User:watch"
    assert principal(kafka(**TOKENS)) == "User:media"
