"""A broker with TLS: who trusts it and has an account is let in, and every other way is one line that names the setting and
the cause."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from cli.up import ports
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.secret_file import keep
from runtime.errors import SettingsError
from runtime.kafka import Kafka
from runtime.kafka_admission import check_admission
from runtime.settings import KafkaSettings
from tests.support.tls import DAY, NOW, Authority

USER, PASSWORD = "catalogizer-serve", "correct-horse"
WRONG = "canary-not-the-password"
PROTOCOL, AUTHORITIES = "CATALOGIZER_KAFKA__SECURITY_PROTOCOL", "CATALOGIZER_KAFKA__SSL_CAFILE"
CREDENTIALS = "CATALOGIZER_KAFKA__SASL_PASSWORD"
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


class TlsKafka(EmbeddedKafka):
    """The embedded broker with further listeners, each for clients of another kind. `listeners`: its port, its protocol
    and the certificate that it shows, by name."""

    listeners: dict[str, tuple[int, str, Path | None]]

    def _configure(self, data: Path, *, fencing: bool = False) -> None:
        super()._configure(data, fencing=fencing)
        if fencing:
            return
        lines = []
        for line in self._properties.read_text().splitlines():
            name, _, value = line.partition("=")
            if name in ("listeners", "advertised.listeners"):
                value += "".join(f",{each}://127.0.0.1:{port}" for each, (port, _, _) in self.listeners.items())
            elif name == "listener.security.protocol.map":
                value += "".join(f",{each}:{protocol}" for each, (_, protocol, _) in self.listeners.items())
            lines.append(f"{name}={value}" if value else name)
        lines.append("sasl.enabled.mechanisms=PLAIN")
        for each, (_, protocol, certificate) in self.listeners.items():
            of = f"listener.name.{each.lower()}"
            if certificate is not None:
                lines += [f"{of}.ssl.keystore.type=PEM", f"{of}.ssl.keystore.location={certificate}"]
            if protocol.startswith("SASL"):
                lines.append(f'{of}.plain.sasl.jaas.config={LOGIN} user_{USER}="{PASSWORD}";')
        keep(self._properties, "\n".join(lines))


@dataclass(frozen=True)
class Listening:
    """The broker's listeners by name, and the file of the authority that has signed for it."""

    ports: dict[str, int]
    authority: Path
    stranger: Path


pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """A connection that is given up in its TLS handshake is asyncio's to close, 30 s later, and the process that checks has
    ended by then. Here it is collected with the test that gave it up."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def broker_with_tls(kafka_jars: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """A broker that speaks to each kind of client on a port of its own."""
    folder = tmp_path_factory.mktemp("tls")
    authorities = {}
    for name in ("own", "stranger", "late"):
        (folder / name).mkdir()
        authorities[name] = Authority(folder / name)
    certificate = authorities["own"].server("127.0.0.1")
    listeners = {
        "OPEN": (ports.free_port(), "PLAINTEXT", None),
        "SIGNED": (ports.free_port(), "SASL_PLAINTEXT", None),
        "TLS": (ports.free_port(), "SSL", certificate),
        "BOTH": (ports.free_port(), "SASL_SSL", certificate),
        "OTHER": (ports.free_port(), "SSL", authorities["own"].server("media.example")),
        "LATE": (ports.free_port(), "SSL", authorities["late"].server("127.0.0.1", NOW - DAY)),
    }
    broker = TlsKafka(folder / "kafka", ports.free_port(), kafka_jars)
    broker.listeners = listeners
    broker.prepare()
    broker.start()
    trusted = folder / "trusted.pem"
    trusted.write_text(authorities["own"].file.read_text() + authorities["late"].file.read_text())
    try:
        broker.wait_ready()
        yield Listening(
            {name: port for name, (port, _, _) in listeners.items()}, trusted, authorities["stranger"].file
        )
    finally:
        broker.kill()


def settings(broker: Listening, listener: str, protocol: str, **change: object) -> KafkaSettings:
    """Of a client of that protocol that has an account and trusts the broker, but for what is changed."""
    values: dict[str, Any] = {
        "bootstrap_servers": f"127.0.0.1:{broker.ports[listener]}",
        "security_protocol": protocol,
        "sasl_mechanism": "PLAIN",
        "sasl_username": USER,
        "sasl_password": SecretStr(PASSWORD),
        "ssl_cafile": broker.authority,
    }
    return KafkaSettings().model_copy(update=values | change)


def check(of: KafkaSettings) -> None:
    asyncio.run(check_admission(Kafka(of, "test")))


@pytest.mark.parametrize(
    ("listener", "protocol"),
    [("OPEN", "PLAINTEXT"), ("SIGNED", "SASL_PLAINTEXT"), ("TLS", "SSL"), ("BOTH", "SASL_SSL")],
)
def test_who_speaks_as_the_broker_does_is_let_in(broker_with_tls: Listening, listener: str, protocol: str) -> None:
    check(settings(broker_with_tls, listener, protocol))


@pytest.mark.parametrize(
    ("listener", "protocol", "change", "setting", "cause"),
    [
        ("TLS", "PLAINTEXT", {}, PROTOCOL, "requires TLS"),
        ("TLS", "SASL_PLAINTEXT", {}, PROTOCOL, "requires TLS"),
        ("BOTH", "PLAINTEXT", {}, PROTOCOL, "requires TLS"),
        ("BOTH", "SASL_PLAINTEXT", {}, PROTOCOL, "requires TLS"),
        ("OPEN", "SSL", {}, PROTOCOL, "does not speak TLS"),
        ("OPEN", "SASL_SSL", {}, PROTOCOL, "does not speak TLS"),
        ("SIGNED", "SASL_SSL", {}, PROTOCOL, "does not speak TLS"),
        ("SIGNED", "PLAINTEXT", {}, PROTOCOL, "requires authentication"),
        ("BOTH", "SSL", {}, PROTOCOL, "requires authentication"),
        ("OPEN", "SASL_PLAINTEXT", {}, PROTOCOL, "does not accept SASL"),
        ("TLS", "SASL_SSL", {}, PROTOCOL, "does not accept SASL"),
        ("BOTH", "SASL_SSL", {"sasl_password": SecretStr(WRONG)}, CREDENTIALS, "refuses them"),
        ("SIGNED", "SASL_PLAINTEXT", {"sasl_password": SecretStr(WRONG)}, CREDENTIALS, "refuses them"),
        ("TLS", "SSL", {"ssl_cafile": None}, AUTHORITIES, "is not trusted: unable to get local issuer certificate"),
        ("OTHER", "SSL", {}, AUTHORITIES, "is not trusted: IP address mismatch"),
        ("LATE", "SSL", {}, AUTHORITIES, "is not trusted: certificate has expired"),
    ],
)  # fmt: skip
def test_every_other_way_is_one_line_that_names_setting_and_cause(
    broker_with_tls: Listening, listener: str, protocol: str, change: dict[str, object], setting: str, cause: str
) -> None:
    of = settings(broker_with_tls, listener, protocol, **change)
    with pytest.raises(SettingsError) as refused:
        check(of)
    (line,) = refused.value.faults
    assert setting in line
    assert f"{of.bootstrap_servers} {cause}" in line
    assert WRONG not in line and PASSWORD not in line


def test_a_certificate_of_an_authority_that_is_not_named_is_not_trusted(broker_with_tls: Listening) -> None:
    for protocol, listener in (("SSL", "TLS"), ("SASL_SSL", "BOTH")):
        with pytest.raises(SettingsError) as refused:
            check(settings(broker_with_tls, listener, protocol, ssl_cafile=broker_with_tls.stranger))
        (line,) = refused.value.faults
        assert AUTHORITIES in line
        assert "is not trusted: unable to get local issuer certificate" in line
