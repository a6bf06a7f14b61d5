"""`catalogizer move-log` says in one line why it does not move a log, and changes nothing then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.errors import BadArgument, CommandError
from cli.main import app
from cli.moving.errors import NoLog, NotEmbedded, Unreachable
from cli.provisioning.topics import TopicRefused, administration, apply, existing_topics
from cli.up import ports
from cli.up.embedded.access import MECHANISM, PROTOCOL, Access
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.errors import StateInUse
from cli.up.state import StateFolder, owned
from runtime.errors import SettingsError
from runtime.kafka import Kafka
from schemas.acls import OPERATOR, user_of


@dataclass(frozen=True, slots=True)
class World:
    """A state folder with a log of two lanes, and other brokers, which require credentials."""

    state: StateFolder
    brokers: EmbeddedKafka
    folder: Path

    def properties(self, component: str, **change: str) -> Path:
        """A file with which a principal connects to the other brokers."""
        assert self.brokers.access is not None
        secret = self.brokers.access.secrets()[user_of(component)]
        lines = {
            "bootstrap.servers": self.brokers.bootstrap_servers,
            "security.protocol": PROTOCOL,
            "sasl.mechanism": MECHANISM,
            "sasl.username": user_of(component),
            "sasl.password": secret,
        } | {name.replace("_", "."): value for name, value in change.items()}
        file = self.folder / "client.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        return file

    def refused(self, *words: str, env: Mapping[str, str] | None = None) -> BaseException:
        """The error of the command."""
        variables = {
            "CATALOGIZER_STATE_DIR": str(self.state.folder),
            "CATALOGIZER_KAFKA__LANES": "2",
            **(env or {}),
        }
        result = CliRunner().invoke(app, ["move-log", *words], env=variables)
        assert result.exception is not None, result.output
        return result.exception

    async def topics_there(self) -> list[str]:
        """The platform's topics at the other brokers."""
        kafka = Kafka(self.brokers.settings(OPERATOR), "test")
        async with administration(kafka) as admin:
            return list(await existing_topics(kafka, admin))


@pytest.fixture(scope="module")
def world(kafka_jars: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("moving")
    state = StateFolder(folder / "state")
    state.folder.mkdir(mode=0o700)
    original = EmbeddedKafka(state.kafka, ports.free_port(), kafka_jars, Access(state.kafka_secrets))
    other = EmbeddedKafka(folder / "other", ports.free_port(), kafka_jars, Access(folder / "secrets"))
    for broker in (original, other):
        broker.prepare()
        broker.start()
    try:
        for broker in (original, other):
            broker.wait_ready()
        given = {"lanes": 2, "replication_factor": 1}
        asyncio.run(apply(Kafka(original.settings(OPERATOR).model_copy(update=given), "test")))
        original.stop()
        yield World(state, other, folder)
    finally:
        original.kill()
        other.kill()


def test_a_file_that_is_not_usable_is_named(world: World) -> None:
    file = world.folder / "odd.properties"
    assert isinstance(world.refused(str(file)), BadArgument)
    file.write_text("security.protocol=SSL\n")
    assert str(world.refused(str(file))) == f"{file}: names no brokers: bootstrap.servers=host:port"
    file.write_text("bootstrap.servers=localhost:1\nsecurity.protocl=SSL\n")
    error = world.refused(str(file))
    assert isinstance(error, SettingsError)
    assert str(error).startswith(f"{file}: line 2: security.protocl: ")
    file.write_text("bootstrap.servers=localhost:1\nsecurity.protocol=TLS\n")
    assert str(world.refused(str(file))).startswith(f"{file}: security_protocol: ")


def test_brokers_that_cannot_be_used_are_named_before_anything_is_started(world: World) -> None:
    away = world.properties(OPERATOR, bootstrap_servers=f"127.0.0.1:{ports.free_port()}")
    error = world.refused(str(away))
    assert isinstance(error, Unreachable)
    assert str(error).startswith(f"{away}: the brokers named there cannot be used: ")
    wrong = world.properties(OPERATOR, sasl_password="not-the-password")
    error = world.refused(str(wrong))
    assert isinstance(error, SettingsError)
    assert str(error).startswith(f"{wrong}: kafka.sasl.username and kafka.sasl.password ")
    assert f"refuses them for {user_of(OPERATOR)}" in str(error)
    assert "not-the-password" not in str(error)


def test_a_principal_that_may_not_create_topics_is_refused_by_the_brokers(world: World) -> None:
    error = world.refused(str(world.properties("watch")), "--replication-factor", "1")
    assert isinstance(error, CommandError)
    assert "Authorization" in str(error)
    assert asyncio.run(world.topics_there()) == []


def test_more_copies_than_brokers_are_refused_with_the_option(world: World) -> None:
    error = world.refused(str(world.properties(OPERATOR)))
    assert isinstance(error, TopicRefused)
    assert "--replication-factor" in str(error)
    assert asyncio.run(world.topics_there()) == []


def test_a_log_of_other_lanes_is_named_with_the_setting(world: World) -> None:
    error = world.refused(str(world.properties(OPERATOR)), env={"CATALOGIZER_KAFKA__LANES": "3"})
    assert "has 2 partitions, 3 are required" in str(error)
    assert "CATALOGIZER_KAFKA__LANES" in str(error)


def test_a_running_platform_and_no_platform_are_refused(world: World, tmp_path: Path) -> None:
    file = str(world.properties(OPERATOR))
    with owned(world.state.folder):
        error = world.refused(file)
        assert isinstance(error, StateInUse)
        assert "end it" in str(error)
    error = world.refused(file, env={"CATALOGIZER_STATE_DIR": str(tmp_path / "none")})
    assert isinstance(error, NoLog)
    assert not (tmp_path / "none").exists()
    error = world.refused(file, env={"CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS": "localhost:9092"})
    assert isinstance(error, NotEmbedded)
    assert list(tmp_path.iterdir()) == []


def test_the_command_moves_a_log_and_says_what_to_set(world: World) -> None:
    file = world.properties(OPERATOR)
    variables = {"CATALOGIZER_STATE_DIR": str(world.state.folder), "CATALOGIZER_KAFKA__LANES": "2"}
    words = ["move-log", str(file), "--replication-factor", "1", "--topic-prefix", "films."]
    result = CliRunner().invoke(app, words, env=variables)
    assert result.exception is None, result.exception
    settings = dict(line.split("=", 1) for line in result.stdout.splitlines() if line.startswith("CATALOGIZER_"))
    assert settings == {
        "CATALOGIZER_KAFKA__PROPERTIES_FILE": str(file),
        "CATALOGIZER_KAFKA__LANES": "2",
        "CATALOGIZER_KAFKA__REPLICATION_FACTOR": "1",
        "CATALOGIZER_KAFKA__TOPIC_PREFIX": "films.",
    }
    again = CliRunner().invoke(app, ["topics", "plan", "--json"], env=settings)
    assert again.stdout == "[]\n", again.output
    assert (
        world.state.moved_log.read_text().strip()
        == dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)["bootstrap.servers"]
    )
