"""The profiles of docker-compose.yml, resolved: three brokers that keep what they acknowledge, Kafka's topics in the
browser, the demo library; and that its brokers are set as the embedded one is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.settings import Settings
from cli.up.embedded import jars
from cli.up.embedded.kafka_config import server_properties
from runtime.configuration import variables
from tests.support.compose import ROOT, compose, resolved

BROKERS = ("kafka", "kafka-2", "kafka-3")
ADDED = {"cluster": {"kafka-2", "kafka-3"}, "ui": {"ui"}, "demo": {"demo"}}
LIKE_THE_EMBEDDED = (
    "auto.create.topics.enable",
    "log.message.timestamp.type",
    "log.retention.ms",
    "offsets.retention.minutes",
    "transaction.max.timeout.ms",
    "group.min.session.timeout.ms",
    "group.initial.rebalance.delay.ms",
)
"""What a client of ours would notice. Replicas, partitions of Kafka's own topics and threads are the machine's."""
ONE_BROKER_ONLY = ("min.insync.replicas", "transaction.state.log.min.isr", "offsets.topic.replication.factor")
REPLICAS = {
    "KAFKA_DEFAULT_REPLICATION_FACTOR": "3",
    "KAFKA_MIN_INSYNC_REPLICAS": "2",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "3",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "3",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "2",
    "KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE": "false",
}
DEMO = {"MEDIA_TYPE": "volume", "MEDIA_FOLDER": "demo"}


@pytest.fixture(scope="module")
def everything() -> dict[str, Any]:
    return resolved("cluster", "ui", "demo", BROKERS="3", **DEMO)


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return resolved()


def embedded() -> dict[str, str]:
    text = server_properties("data", 9092, 9093, secrets={}, super_users=())
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def as_variable(name: str) -> str:
    """A broker's setting as its image reads it from the environment."""
    return "KAFKA_" + name.upper().replace(".", "_")


def test_a_profile_adds_what_it_says(everything: dict[str, Any], plain: dict[str, Any]) -> None:
    assert everything["services"].keys() - plain["services"].keys() == set.union(*ADDED.values())
    assert {
        name: set(service["profiles"]) for name, service in everything["services"].items() if "profiles" in service
    } == {name: {profile} for profile, names in ADDED.items() for name in names}


@pytest.mark.parametrize("name", LIKE_THE_EMBEDDED)
def test_a_broker_is_set_as_the_embedded_one(name: str, everything: dict[str, Any]) -> None:
    ours = {everything["services"][broker]["environment"].get(as_variable(name)) for broker in BROKERS}
    assert ours == {embedded()[name]}


@pytest.mark.parametrize("name", ONE_BROKER_ONLY)
def test_the_one_broker_waits_for_no_replicas_as_the_embedded_one(name: str, plain: dict[str, Any]) -> None:
    assert plain["services"]["kafka"]["environment"][as_variable(name)] == embedded()[name]


def test_brokers_are_of_the_version_that_is_embedded_and_tested(everything: dict[str, Any]) -> None:
    (version,) = {jar.version for jar in jars.locked(jars.SERVER) if jar.artifact == "kafka-clients"}
    images = {everything["services"][name]["image"] for name in BROKERS}
    assert {image.partition("@")[0] for image in images} == {f"apache/kafka:{version}"}


def test_three_brokers_keep_two_copies_of_what_they_acknowledge(everything: dict[str, Any]) -> None:
    for broker in BROKERS:
        environment = everything["services"][broker]["environment"]
        assert {name: environment[name] for name in REPLICAS} == REPLICAS


def test_each_broker_of_three_is_one_of_the_voters_and_has_a_volume_of_its_own(everything: dict[str, Any]) -> None:
    services = [everything["services"][name] for name in BROKERS]
    voters = ",".join(
        f"{service['environment']['KAFKA_NODE_ID']}@{name}:9093"
        for name, service in zip(BROKERS, services, strict=True)
    )
    assert {service["environment"]["KAFKA_CONTROLLER_QUORUM_VOTERS"] for service in services} == {voters}
    assert {service["volumes"][0]["source"] for service in services} == set(BROKERS)
    assert [service["environment"]["KAFKA_ADVERTISED_LISTENERS"] for service in services] == [
        f"PLAINTEXT://{name}:9092" for name in BROKERS
    ]


def test_everybody_knows_all_three(everything: dict[str, Any]) -> None:
    ours = {
        name: service["environment"]["CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS"]
        for name, service in everything["services"].items()
        if "build" in service and name not in ("demo", "migrate", "admin")
    }
    assert set(ours.values()) == {"kafka:9092,kafka-2:9092,kafka-3:9092"}
    assert everything["services"]["topics"]["environment"]["CATALOGIZER_KAFKA__REPLICATION_FACTOR"] == "3"
    assert everything["services"]["topics"]["depends_on"].keys() == set(BROKERS)


def test_a_number_of_brokers_that_there_is_not_is_refused() -> None:
    result = compose("--quiet", variables={"BROKERS": "2"})
    assert result.returncode != 0
    assert "brokers-2" in result.stderr


@pytest.mark.parametrize("name", sorted(set.union(*ADDED.values())))
def test_what_a_profile_adds_is_as_closed_as_the_rest(name: str, everything: dict[str, Any]) -> None:
    service = everything["services"][name]
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert service.get("read_only", False) is (name not in BROKERS)
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert [port["host_ip"] for port in service.get("ports", [])] == (["127.0.0.1"] if name == "ui" else [])
    assert "healthcheck" in service or service["restart"] == "no"


def test_no_image_is_whatever_is_newest(everything: dict[str, Any]) -> None:
    foreign = {service["image"] for service in everything["services"].values() if "build" not in service}
    assert {
        image for image in foreign if not re.fullmatch(r"[a-z/-]+:v?\d[\w.]*(@sha256:[0-9a-f]{64})?", image)
    } == set()


def test_topics_are_only_shown_in_the_browser(everything: dict[str, Any]) -> None:
    environment = everything["services"]["ui"]["environment"]
    assert environment["KAFKA_CLUSTERS_0_READONLY"] == "true"
    assert environment["DYNAMIC_CONFIG_ENABLED"] == "false"


def test_only_the_demo_library_s_maker_writes_media(everything: dict[str, Any]) -> None:
    writable = {
        name
        for name, service in everything["services"].items()
        for mount in service.get("volumes", [])
        if mount["target"] == "/media" and not mount.get("read_only", False)
    }
    assert writable == {"demo"}
    assert everything["services"]["watch"]["depends_on"].keys() == {"topics", "demo"}


def test_the_demo_library_is_where_the_example_s_roots_are(tmp_path: Path, everything: dict[str, Any]) -> None:
    roots = json.loads(everything["services"]["watch"]["environment"]["CATALOGIZER_PRODUCER__ROOTS"])
    made = CliRunner().invoke(app, ["demo", str(tmp_path / "media"), "--json"])
    assert made.exit_code == 0, made.output
    assert {root["name"]: root["path"] for root in roots} == {
        name: f"/{Path(path).relative_to(tmp_path)}" for name, path in json.loads(made.stdout)["roots"].items()
    }
    again = CliRunner().invoke(app, ["demo", str(tmp_path / "media"), "--json"])
    assert json.loads(again.stdout)["made"] is False


def test_a_folder_with_other_things_in_it_gets_no_demo_library(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    refused = CliRunner().invoke(app, ["demo", str(tmp_path)])
    assert "not empty" in str(refused.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("count", ["1", "3"])
def test_client_options_come_from_settings(count: str) -> None:
    lines = (ROOT / "infra" / "compose" / f"brokers-{count}" / "client.env").read_text().splitlines()
    assert {line.split("=")[0] for line in lines} <= set(variables(Settings))


def test_each_health_check_is_the_program_s_own(everything: dict[str, Any]) -> None:
    for service in everything["services"].values():
        if "build" in service and service["restart"] != "no":
            *program, port = service["healthcheck"]["test"]
            assert program == ["CMD", "python", "-m", "cli.health"]
            assert 0 < int(port) < 65536
