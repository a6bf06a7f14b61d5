"""A broker that refuses us is one clear line at the start and an exit, and no retry for ever; one that is away is waited
for."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.up import ports
from cli.up.embedded.access import Access
from cli.up.embedded.kafka import EmbeddedKafka
from runtime.errors import SettingsError
from runtime.kafka import Kafka
from runtime.kafka_admission import check_admission
from runtime.settings import KafkaSettings
from schemas.acls import OPERATOR
from tests.support.command import ROOT

WRONG = "canary-not-the-password"


@pytest.fixture(scope="module")
def closed(kafka_jars: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker that wants credentials."""
    folder = tmp_path_factory.mktemp("closed")
    broker = EmbeddedKafka(folder / "kafka", ports.free_port(), kafka_jars, Access(folder / "secrets"))
    broker.prepare()
    broker.start()
    try:
        broker.wait_ready()
        yield broker
    finally:
        broker.kill()


def check(settings: KafkaSettings) -> None:
    asyncio.run(check_admission(Kafka(settings, "test")))


def test_who_has_a_principal_is_let_in(closed: EmbeddedKafka) -> None:
    check(closed.settings(OPERATOR))


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"sasl_password": SecretStr(WRONG)}, "sasl.password"),
        ({"sasl_username": "nobody"}, "sasl.username"),
        ({"security_protocol": "PLAINTEXT"}, "requires authentication"),
        ({"security_protocol": "SASL_SSL"}, "does not speak TLS"),
        ({"security_protocol": "SSL"}, "does not speak TLS"),
        ({"sasl_mechanism": "SCRAM-SHA-512"}, "does not accept SCRAM-SHA-512"),
    ],
)
def test_a_process_without_one_reports_which_setting_it_is(
    closed: EmbeddedKafka, change: dict[str, object], reported: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(reported)) as refused:
        check(closed.settings(OPERATOR).model_copy(update=change))
    assert "CATALOGIZER_KAFKA__" in str(refused.value)
    assert WRONG not in str(refused.value)


def test_a_broker_that_is_open_and_one_that_is_away_are_no_error(broker: EmbeddedKafka) -> None:
    check(KafkaSettings(bootstrap_servers=broker.bootstrap_servers))
    check(KafkaSettings(bootstrap_servers=f"127.0.0.1:{ports.free_port()}"))


@pytest.mark.parametrize("command", ["serve", "project", "stream", "watch"])
def test_a_process_ends_with_one_line(closed: EmbeddedKafka, tmp_path: Path, command: str) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "CATALOGIZER_STATE_DIR": str(tmp_path),
        "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS": closed.bootstrap_servers,
        "CATALOGIZER_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "CATALOGIZER_KAFKA__SASL_MECHANISM": "PLAIN",
        "CATALOGIZER_KAFKA__SASL_USERNAME": "catalogizer-serve",
        "CATALOGIZER_KAFKA__SASL_PASSWORD": WRONG,
        "CATALOGIZER_DATABASE__URL": "postgresql://u@127.0.0.1:1/d",
    }
    argv = [sys.executable, "-m", "cli.main", command]
    done = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if "CATALOGIZER_KAFKA__SASL_PASSWORD" in line]
    assert len(lines) == 1
    assert WRONG not in done.stderr
    assert "Traceback" not in done.stderr
