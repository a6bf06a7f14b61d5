"""What can be set on one machine can be set in docker-compose.yml too, for the process that reads it and for no other; what
cannot is listed with a reason (tools/deployments.py). The same of infra/helm and infra/terraform: tests/contract."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.settings import Settings
from runtime.configuration import PREFIX, load, variables
from runtime.errors import SettingsError
from tests.support.compose import ROOT, resolved, resolved_over
from tests.support.tls import Authority
from tools.deployments import NOT_PASSED, is_secret, passed, reader

OVER = (ROOT / "infra" / "compose" / "own-kafka.yml",)
KAFKA = frozenset({"topics", "watch", "stream", "project", "serve"})
OURS = KAFKA | {"migrate", "admin"}
READERS: Mapping[str, frozenset[str]] = {
    "watch": frozenset({"watch"}), "stream": frozenset({"stream"}), "serve": frozenset({"serve"}), "kafka": KAFKA,
    "every": OURS,
}  # fmt: skip
MARK = "set-from-outside"


def environment_of(service: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in service["environment"].items() if value is not None}


@pytest.mark.parametrize("deployment", sorted(NOT_PASSED))
def test_what_a_deployment_does_not_pass_is_a_setting_and_has_a_reason(deployment: str) -> None:
    assert NOT_PASSED[deployment].keys() <= variables(Settings).keys()
    assert min(len(reason) for reason in NOT_PASSED[deployment].values()) > 10


def test_every_secret_is_passed_as_a_file() -> None:
    for deployment in NOT_PASSED:
        given = passed(deployment)
        assert not {name for name, field in variables(Settings).items() if is_secret(field)} & given.keys()
    assert {name for name in passed("compose") if name.startswith("CATALOGIZER_ALERTS__") and "FILE" in name} == {
        f"CATALOGIZER_ALERTS__{name}" for name in ("WEBHOOK_URL_FILE", "WEBHOOK_SECRET_FILE", "SMTP_PASSWORD_FILE", "CAFILE")
    }  # fmt: skip


def test_compose_passes_each_setting_to_its_readers_alone_and_to_them_only_if_it_is_set() -> None:
    given = passed("compose")
    services = resolved(**dict.fromkeys(given, MARK))["services"]
    unset = resolved()["services"]
    for name in OURS:
        expected = {variable for variable, who in given.items() if name in READERS[who]}
        marked = {variable for variable, value in environment_of(services[name]).items() if value == MARK}
        assert marked == expected
        without = environment_of(unset[name]).keys()
        assert expected & without <= {
            "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS", "CATALOGIZER_KAFKA__REPLICATION_FACTOR"
        }  # fmt: skip


def test_what_compose_does_not_pass_it_decides_itself() -> None:
    skipped = NOT_PASSED["compose"].keys() - {
        "CATALOGIZER_LOG__LEVEL", "CATALOGIZER_PRODUCER__ROOTS", "CATALOGIZER_STREAMS__ANALYSIS__ROOTS"
    }  # fmt: skip
    services = resolved(**dict.fromkeys(skipped, MARK))["services"]
    assert not [name for name in OURS if MARK in environment_of(services[name]).values()]


def settings_in(
    service: Mapping[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch, mounted: str
) -> Settings:
    """The settings of a container, with a folder of this machine where one is mounted; its other secrets are not read."""
    for variable in [variable for variable in os.environ if variable.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    (mount,) = [mount for mount in service["volumes"] if mount["target"] == mounted]
    assert mount["read_only"]
    for name, value in environment_of(service).items():
        if not name.endswith("_FILE") or value.startswith(mounted):
            monkeypatch.setenv(name, value.replace(mounted, str(folder)))
    return load(Settings)


ALERTS = {
    "CATALOGIZER_ALERTS__KINDS": '["root_lost"]',
    "CATALOGIZER_ALERTS__WEBHOOK_URL_FILE": "/run/secrets/stream/webhook_url",
    "CATALOGIZER_ALERTS__WEBHOOK_SECRET_FILE": "/run/secrets/stream/webhook_secret",
    "CATALOGIZER_ALERTS__SMTP_URL": "starttls://catalogizer@mail.example.org",
    "CATALOGIZER_ALERTS__SMTP_PASSWORD_FILE": "/run/secrets/stream/smtp_password",
    "CATALOGIZER_ALERTS__MAIL_FROM": "catalogizer@example.org",
    "CATALOGIZER_ALERTS__MAIL_TO": '["ops@example.org"]',
}


def test_alerts_of_the_example_are_settings_of_the_stream_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = (ROOT / ".env.example").read_text()
    assert all(f"\n#{name}={value}\n" in example for name, value in ALERTS.items() if "KINDS" not in name)
    secrets = {"webhook_url": "https://a.example/x", "webhook_secret": "s" * 32, "smtp_password": "p"}
    for name, value in secrets.items():
        (tmp_path / name).write_text(f"{value}\n")
    alerts = settings_in(
        resolved(**ALERTS)["services"]["stream"], tmp_path, monkeypatch, "/run/secrets/stream"
    ).alerts
    found = (alerts.webhook_url, alerts.webhook_secret, alerts.smtp_password)
    assert [secret.get_secret_value() for secret in found if secret is not None] == [*secrets.values()]
    assert (alerts.kinds, alerts.mail_to) == (("root_lost",), ("ops@example.org",))


def test_a_secret_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = resolved(**ALERTS)["services"]["stream"]
    with pytest.raises(SettingsError, match=r"CATALOGIZER_ALERTS__WEBHOOK_URL_FILE: .*No such file"):
        settings_in(service, tmp_path, monkeypatch, "/run/secrets/stream")


TOKENS = {
    "BOOTSTRAP_SERVERS": "k1.example:9093,k2.example:9093", "SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER",
    "SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "https://id.example/token", "SASL_OAUTHBEARER_CLIENT_ID": "catalogizer",
    "SASL_OAUTHBEARER_CLIENT_SECRET_FILE": "/run/secrets/kafka/client_secret", "SSL_CAFILE": "/run/secrets/kafka/ca.pem",
}  # fmt: skip
CERTIFICATE = {
    "BOOTSTRAP_SERVERS": "k1.example:9093", "SECURITY_PROTOCOL": "SSL", "SSL_CAFILE": "/run/secrets/kafka/ca.pem",
    "SSL_CERTFILE": "/run/secrets/kafka/client.crt", "SSL_KEYFILE": "/run/secrets/kafka/client.key",
}  # fmt: skip


@pytest.mark.parametrize(
    "given", [TOKENS, CERTIFICATE, {"PROPERTIES_FILE": "/run/secrets/kafka/client.properties"}]
)
def test_brokers_of_ones_own_are_reached_by_every_way_that_the_program_knows(
    given: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runtime.kafka_security import sasl_options, tls_context, tokens_for

    authority = Authority(tmp_path)
    for file, name in zip(authority.client("catalogizer"), ("client.crt", "client.key"), strict=True):
        file.rename(tmp_path / name)
    (tmp_path / "client_secret").write_text("canary")
    (tmp_path / "client.properties").write_text(
        "bootstrap.servers=k1.example:9093\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
        'sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="p";\n'
    )
    variables = {f"CATALOGIZER_KAFKA__{name}": value for name, value in given.items()}
    whole = resolved_over(OVER, "cluster", "ui", BROKERS="own", **variables)["services"]
    assert {name for name in whole if "kafka" in name} | (whole.keys() & {"ui"}) == set()
    for name in KAFKA:
        kafka = settings_in(whole[name], tmp_path, monkeypatch, "/run/secrets/kafka").kafka
        assert kafka.bootstrap_servers is not None and kafka.bootstrap_servers.startswith("k1.example:9093")
        assert kafka.replication_factor is None
        assert sasl_options(kafka, tokens_for(kafka)).get("sasl_mechanism", "none") == (
            "none" if kafka.security_protocol == "SSL" else kafka.sasl_mechanism
        )
        assert tls_context(kafka) is not None
    for name in ("migrate", "admin"):
        assert not any("KAFKA" in variable for variable in whole[name]["environment"])


def test_each_setting_has_a_reader() -> None:
    found = {reader(variable) for variable in variables(Settings)}
    assert found == {"watch", "stream", "project", "serve", "kafka", "database", "admin", "every"}
