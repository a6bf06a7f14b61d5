"""Three brokers as companies run them: each way to sign in lets the right one in and refuses the others with one line; each
component may do what the table says and nothing else; a leader that dies is survived.

One cluster for all of it: it takes some seconds to start."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from pydantic import SecretStr

from cli.provisioning.acls import apply_acls
from cli.provisioning.topics import apply
from runtime.errors import SettingsError
from runtime.kafka import stop_client
from runtime.kafka_admission import check_admission
from runtime.log_reading import reader
from runtime.rights import Rights, describe
from schemas.acls import COMPONENTS, OPERATOR, Acl, Component, acls_of, user_of
from schemas.topics import ALL_TOPICS, CONTROL, RAW
from tests.support.cluster import Cluster
from tests.support.cluster_config import LISTENERS, Listener
from tests.support.cluster_faults import World, befall, clients, leader
from tests.support.cluster_load import Load
from tests.support.command import ROOT
from tests.support.committed import connection
from tests.support.operator import Operator
from tests.support.revealed import security
from tests.support.tls import Authority

WRONG = "canary-not-the-secret"
ANSWER_SECONDS = 20.0
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """A connection that is given up in its TLS handshake is asyncio's to close, 30 s later. Here it is collected with the
    test that gave it up."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def cluster(kafka_jars: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With topics and rights."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), kafka_jars)
    try:
        cluster.prepare()
        cluster.start()
        operators = cluster.kafka(OPERATOR)
        asyncio.run(apply(operators))
        asyncio.run(apply_acls(operators))
        yield cluster
    finally:
        cluster.end()


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the cluster does not trust."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.mark.parametrize("listener", LISTENERS)
def test_each_way_to_sign_in_reads_and_writes_and_commits(cluster: Cluster, listener: Listener) -> None:
    kafka = cluster.kafka(OPERATOR, listener)
    place = TopicPartition(kafka.name(RAW), 0)

    async def main() -> list[bytes | None]:
        await check_admission(kafka)
        producer = kafka.transactional_producer(f"test-{listener}")
        await producer.start()
        try:
            async with producer.transaction():
                sent = await producer.send_and_wait(RAW.name, listener.encode(), partition=0)
        finally:
            await stop_client(producer)
        async with reader(kafka) as consumer:
            consumer.assign([place])
            consumer.seek(place, sent.offset)
            return [(await asyncio.wait_for(consumer.getone(place), ANSWER_SECONDS)).value]

    assert asyncio.run(main()) == [listener.encode()]


def test_a_connection_outlives_its_tokens(cluster: Cluster) -> None:
    """Brokers close a connection whose token has ended, at its next request; no record is lost or twice by that."""
    kafka = cluster.kafka(OPERATOR, "OAUTH")
    place = TopicPartition(kafka.name(CONTROL), 0)
    wanted = [b"%d" % number for number in range(25)]

    async def main() -> list[bytes | None]:
        producer = kafka.producer()
        await producer.start()
        async with reader(kafka) as consumer:
            consumer.assign([place])
            await consumer.seek_to_end(place)
            await consumer.position(place)
            for value in wanted:
                await producer.send_and_wait(place.topic, value, partition=0)
                await asyncio.sleep(0.1)
            await stop_client(producer)
            return [(await asyncio.wait_for(consumer.getone(place), ANSWER_SECONDS)).value for _ in wanted]

    cluster.endpoint.life_seconds, given = 2, cluster.endpoint.given
    try:
        assert asyncio.run(main()) == wanted
    finally:
        cluster.endpoint.life_seconds = 300
    assert cluster.endpoint.given >= given + 2


def shown(authority: Authority, name: str) -> dict[str, object]:
    certificate, key = authority.client(name)
    return {"ssl_certfile": certificate, "ssl_keyfile": key}


Change = Callable[[Cluster, Authority], dict[str, object]]
REFUSALS: dict[str, tuple[Listener, Change, dict[str, Any], list[str]]] = {
    "a wrong password": (
        "SCRAM", lambda _, __: {"sasl_password": SecretStr(WRONG)}, {},
        ["CATALOGIZER_KAFKA__SASL_PASSWORD", "refuses them for catalogizer-serve"],
    ),
    "an unknown user": (
        "SCRAM", lambda _, __: {"sasl_username": "nobody"}, {},
        ["CATALOGIZER_KAFKA__SASL_PASSWORD", "refuses them for nobody"],
    ),
    "a mechanism that is not taken": (
        "SCRAM", lambda _, __: {"sasl_mechanism": "PLAIN"}, {}, ["SASL_MECHANISM", "does not accept PLAIN"],
    ),
    "brokers that are not trusted": (
        "SCRAM", lambda _, stranger: {"ssl_cafile": stranger.file}, {}, ["SSL_CAFILE", "is not trusted"],
    ),
    "brokers that are not trusted by who shows a certificate": (
        "MTLS", lambda _, stranger: {"ssl_cafile": stranger.file}, {}, ["SSL_CAFILE", "is not trusted"],
    ),
    "a name that is not in the certificate": (
        "SCRAM", lambda c, _: {"bootstrap_servers": c.servers().replace("127.0.0.1", "localhost")}, {},
        ["SSL_CAFILE", "localhost", "Hostname mismatch"],
    ),
    "no certificate": (
        "MTLS", lambda _, __: {"ssl_certfile": None, "ssl_keyfile": None}, {},
        ["CATALOGIZER_KAFKA__SSL_CERTFILE", "not set", "requires a client certificate"],
    ),
    "a certificate of a strange authority": (
        "MTLS", lambda _, stranger: shown(stranger, "catalogizer-serve"), {},
        ["CATALOGIZER_KAFKA__SSL_CERTFILE", "refuses the certificate in", "CN=catalogizer-serve"],
    ),
    "a secret that the endpoint refuses": (
        "OAUTH", lambda _, __: {"sasl_oauthbearer_client_secret": SecretStr(WRONG)}, {},
        ["CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_SECRET", "/token answers HTTP 401 invalid_client",
         "client catalogizer-serve"],
    ),
    "an endpoint that is none": (
        "OAUTH", lambda _, __: {}, {"status": 404},
        ["CATALOGIZER_KAFKA__SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL", "/token answers HTTP 404"],
    ),
    "a token for somebody else": (
        "OAUTH", lambda _, __: {}, {"claims": {"aud": "another"}},
        ["SASL_OAUTHBEARER_CLIENT_ID", "refuses the token of catalogizer-serve"],
    ),
    "a token of another issuer": (
        "OAUTH", lambda _, __: {}, {"claims": {"iss": "https://elsewhere"}}, ["refuses the token of catalogizer-serve"],
    ),
    "a token signed by another key": (
        "OAUTH", lambda _, __: {}, {"other_key": True}, ["refuses the token of catalogizer-serve"],
    ),
    "a token that has ended": (
        "OAUTH", lambda _, __: {}, {"claims": {"exp": 1_000_000_000}}, ["refuses the token of catalogizer-serve"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSALS)
def test_who_is_not_let_in_gets_one_line(cluster: Cluster, stranger: Authority, kind: str) -> None:
    listener, change, faults, words = REFUSALS[kind]
    kafka = cluster.kafka("serve", listener, **change(cluster, stranger))
    faulty = cluster.endpoint.faults
    before = {name: getattr(faulty, name) for name in faults}
    for name, value in faults.items():
        setattr(faulty, name, value)
    try:
        with pytest.raises(SettingsError) as refused:
            asyncio.run(check_admission(kafka))
    finally:
        for name, value in before.items():
            setattr(faulty, name, value)
    (line,) = refused.value.faults
    assert [word for word in words if word not in line] == [], line
    assert all(
        secret not in line for secret in (WRONG, *cluster.passwords.values(), *cluster.endpoint.clients.values())
    )


def test_a_token_endpoint_that_is_away_is_waited_for(cluster: Cluster) -> None:
    cluster.endpoint.stop()
    try:
        asyncio.run(check_admission(cluster.kafka("serve", "OAUTH")))
    finally:
        cluster.endpoint.start()


@pytest.mark.parametrize(
    ("listener", "change", "setting"),
    [("MTLS", {"SSL_CERTFILE": "", "SSL_KEYFILE": ""}, "SSL_CERTFILE"),
     ("OAUTH", {"SASL_OAUTHBEARER_CLIENT_SECRET": WRONG}, "SASL_OAUTHBEARER_CLIENT_SECRET")],
)  # fmt: skip
def test_a_process_ends_with_the_line(
    cluster: Cluster, tmp_path: Path, listener: Listener, change: dict[str, str], setting: str
) -> None:
    settings = cluster.settings("watch", listener)
    given = {"BOOTSTRAP_SERVERS": settings.bootstrap_servers or "", **security(settings), **change}
    environment = {f"CATALOGIZER_KAFKA__{name}": value for name, value in given.items() if value}
    environment |= {"PATH": "/usr/bin:/bin", "CATALOGIZER_STATE_DIR": str(tmp_path)}
    argv = [sys.executable, "-m", "cli.main", "watch"]
    done = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("error: ") and setting in line]) == 1
    assert WRONG not in done.stderr
    assert "Traceback" not in done.stderr


def administrator(cluster: Cluster, component: str) -> AdminClient:
    return AdminClient({**connection(cluster.settings(component)), "log_level": 0})


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_may_do_what_the_table_grants_with_topics_and_nothing_else(
    cluster: Cluster, component: Component
) -> None:
    implied = {"Read": {"READ", "DESCRIBE"}, "Write": {"WRITE", "DESCRIBE"}, "Describe": {"DESCRIBE"}}
    wanted: dict[str, set[str]] = {topic.name: set() for topic in ALL_TOPICS}
    for acl in acls_of(component):
        if acl.resource == "topic":
            wanted[acl.name] |= implied[acl.operation]
    admin = administrator(cluster, component)
    described = admin.describe_topics(TopicCollection(list(wanted)), include_authorized_operations=True)
    found = {}
    for name, future in described.items():
        try:
            found[name] = {operation.name for operation in future.result(ANSWER_SECONDS).authorized_operations}
        except KafkaException as error:
            assert error.args[0].name() == "TOPIC_AUTHORIZATION_FAILED"
            found[name] = set()
    assert found == wanted


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_changes_nothing_of_the_cluster(cluster: Cluster, component: Component) -> None:
    admin = administrator(cluster, component)
    anything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None,  # type: ignore[arg-type]  # that is: any
        AclOperation.ANY, AclPermissionType.ANY,
    )  # fmt: skip
    tries = [
        *admin.create_topics([NewTopic("own", 1, 3)]).values(),
        *admin.delete_topics([RAW.name]).values(),
        *admin.delete_consumer_groups(["catalogizer.projector"]).values(),
        *admin.delete_acls([anything]).values(),
    ]
    for tried in tries:
        with pytest.raises(KafkaException) as refused:
            tried.result(ANSWER_SECONDS)
        assert "AUTHORIZATION_FAILED" in refused.value.args[0].name()


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_is_in_no_group_and_no_transaction_but_its_own(cluster: Cluster, component: Component) -> None:
    own = {(acl.resource, acl.name) for acl in acls_of(component) if acl.operation != "Describe"}
    kafka = cluster.kafka(component)

    async def allowed(acl: Acl) -> bool:
        name = acl.name.removeprefix("catalogizer.") + ("x" if acl.pattern == "prefixed" else "")
        if acl.resource == "group":
            consumer = kafka.group_consumer(kafka.group(name))
            topic = next(topic.name for topic in ALL_TOPICS if reads(component, topic.name))
            consumer.subscribe([topic])
            try:
                await asyncio.wait_for(consumer.start(), ANSWER_SECONDS)
                await consumer.committed(TopicPartition(topic, 0))
            except GroupAuthorizationFailedError:
                return False
            finally:
                await stop_client(consumer)
            return True
        producer = kafka.transactional_producer(f"catalogizer.{name}")
        try:
            await asyncio.wait_for(producer.start(), ANSWER_SECONDS)
        except KafkaError as error:
            assert "TransactionalIdAuthorizationFailed" in repr(error)
            return False
        finally:
            await stop_client(producer)
        return True

    tried = {
        acl
        for other in COMPONENTS
        for acl in acls_of(other)
        if acl.resource != "topic" and acl.operation != "Describe"
    }
    found = {(acl.resource, acl.name): asyncio.run(allowed(acl)) for acl in tried}
    assert found == {key: key in own for key in found}


def reads(component: Component, name: str) -> bool:
    return any((acl.operation, acl.name) == ("Read", name) for acl in acls_of(component))


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_right_that_is_taken_away_is_named(cluster: Cluster, component: Component) -> None:
    operator = Operator(cluster.kafka(OPERATOR))
    kafka, ends = cluster.kafka(component), {"streams.": "x", "requested.": "x", "library.": "x", "dlq.": "x"}
    gone: list[Acl] = []

    async def main() -> None:
        rights = Rights(kafka, component, ends)
        async with reader(kafka) as consumer:

            async def missing() -> list[Acl]:
                return sorted(await rights.missing(consumer._client))

            assert await missing() == []
            for acl in sorted(acls_of(component)):
                await asyncio.to_thread(operator.take_away, acl)
                gone.append(acl)
                async with asyncio.timeout(ANSWER_SECONDS):
                    while (reported := await missing()) != sorted(gone):  # noqa: ASYNC110 - brokers hear of it later
                        await asyncio.sleep(0.02)
                assert f"User:{user_of(component)} may not {acl.operation} {acl.resource} {acl.name}" in describe(
                    reported
                )

    try:
        asyncio.run(main())
    finally:
        asyncio.run(apply_acls(cluster.kafka(OPERATOR)))


def test_a_leader_that_is_killed_costs_some_seconds_and_nothing_else(
    cluster: Cluster, tables: str, tmp_path: Path
) -> None:
    kafka = clients(cluster)
    load = Load(kafka, tables, tmp_path, seed=5)
    try:
        load.start()
        reported = befall(World(cluster, kafka, load), leader)
        assert load.stop() > 100
    finally:
        load.end()
    assert not reported.late, reported
