"""The embedded broker is closed: clients without a principal are rejected, and a principal may do what its component
needs."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from aiokafka.structs import TopicPartition
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from cli.provisioning.acls import NoAuthorizer, apply_acls
from cli.provisioning.topics import apply
from cli.up import ports
from cli.up.embedded.access import Access
from cli.up.embedded.kafka import EmbeddedKafka
from gateway.log.dead_letters import DeadLetterQueues
from gateway.log.topics import LogTopics
from runtime.dlq.ledger import Deliverable, Ledger
from runtime.dlq.redriving import redrive
from runtime.kafka import Kafka, stop_client
from schemas.acls import COMPONENTS, OPERATOR, acls, user_of
from schemas.topics import ALL_TOPICS, ANALYSIS_JOBS, CHANGES, RAW
from tests.support.letters import all_open, bury
from tests.support.platform import ODD
from tests.support.topic import read


@pytest.fixture(scope="module")
def closed(kafka_jars: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    folder = tmp_path_factory.mktemp("closed") / ODD
    broker = EmbeddedKafka(folder / "kafka", ports.free_port(), kafka_jars, Access(folder / "secrets"))
    broker.prepare()
    broker.start()
    try:
        broker.wait_ready()
        asyncio.run(_provision(broker))
        yield broker
    finally:
        broker.kill()


async def _provision(broker: EmbeddedKafka) -> None:
    kafka = _as(broker, OPERATOR)
    await apply(kafka)
    assert await apply_acls(kafka) == acls()
    assert await apply_acls(kafka) == []


def _as(broker: EmbeddedKafka, component: str) -> Kafka:
    settings = broker.settings(component).model_copy(update={"lanes": 1, "replication_factor": 1})
    return Kafka(settings, "test")


async def _read(kafka: Kafka) -> None:
    consumer = kafka.tail_consumer()
    try:
        await consumer.start()
        partition = TopicPartition(kafka.name(RAW), 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        await consumer.getmany(partition, timeout_ms=2_000)
    finally:
        await stop_client(consumer)


async def _write(kafka: Kafka, topic: str) -> None:
    producer = kafka.producer()
    try:
        await producer.start()
        await asyncio.wait_for(producer.send_and_wait(topic, b"{}", partition=0), 10)
    finally:
        await stop_client(producer)


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "catalogizer-serve",
         "sasl.password": "guessed"},
        {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "nobody",
         "sasl.password": "guessed"},
    ],
    ids=["no credentials", "wrong password", "unknown user"],
)  # fmt: skip
def test_whoever_has_no_principal_is_refused(closed: EmbeddedKafka, credentials: dict[str, str]) -> None:
    admin = AdminClient({"bootstrap.servers": closed.bootstrap_servers, "log_level": 0, **credentials})
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=2)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_sees_the_topics_of_its_table_and_no_others(closed: EmbeddedKafka, component: str) -> None:
    async def seen() -> set[str]:
        admin = _as(closed, component).admin()
        await admin.start()
        try:
            return set(await admin.list_topics())
        finally:
            await admin.close()

    wanted = {
        acl.name for acl in acls() if acl.resource == "topic" and acl.principal == f"User:{user_of(component)}"
    }
    assert asyncio.run(seen()) == wanted


def test_the_watcher_appends_to_the_change_log_and_cannot_read_it(closed: EmbeddedKafka) -> None:
    watcher = _as(closed, "watch")
    asyncio.run(_write(watcher, RAW.name))
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(_read(watcher))


def test_the_gateway_writes_no_change(closed: EmbeddedKafka) -> None:
    with pytest.raises(KafkaError):
        asyncio.run(_write(_as(closed, "serve"), CHANGES.name))


def test_the_gateway_sees_to_letters_of_every_queue_and_gives_none_back_that_is_a_change(
    closed: EmbeddedKafka,
) -> None:
    operator, serve = _as(closed, OPERATOR), _as(closed, "serve")
    asyncio.run(_write(operator, CHANGES.name))
    asyncio.run(_write(operator, ANALYSIS_JOBS.name))
    (change,), (job,) = bury(operator, *read(operator, CHANGES)), bury(operator, *read(operator, ANALYSIS_JOBS))

    async def main() -> None:
        queues = DeadLetterQueues(serve)
        assert {topic: len(letters) for topic, letters in (await queues.newest()).items() if letters} == {
            CHANGES: 1, ANALYSIS_JOBS: 1,
        }  # fmt: skip
        assert (await queues.redrive(ANALYSIS_JOBS, job, "anna")).done
        with pytest.raises(KafkaError):
            await redrive(serve, all_open(CHANGES))
        assert (await queues.discard(CHANGES, change, "anna", "")).done

    asyncio.run(main())
    assert [len(read(operator, topic)) for topic in (ANALYSIS_JOBS, CHANGES)] == [2, 1]


def test_why_a_letter_is_not_given_back_is_told_on_a_slow_machine_too(
    closed: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a record of the transaction has been refused by the time the next one is sent."""
    operator, serve, send = _as(closed, OPERATOR), _as(closed, "serve"), Ledger._send
    asyncio.run(_write(operator, CHANGES.name))
    (change,) = bury(operator, read(operator, CHANGES)[-1])

    async def slowly(ledger: Ledger, record: Deliverable) -> asyncio.Future[object]:
        await asyncio.sleep(0.5)
        return await send(ledger, record)

    async def main() -> None:
        with monkeypatch.context() as slow, pytest.raises(TopicAuthorizationFailedError):
            slow.setattr(Ledger, "_send", slowly)
            await redrive(serve, all_open(CHANGES))
        assert (await DeadLetterQueues(serve).discard(CHANGES, change, "anna", "")).done

    asyncio.run(main())


def test_the_gateway_may_describe_every_topic_and_group_and_joins_none(closed: EmbeddedKafka) -> None:
    operator, serve = _as(closed, OPERATOR), _as(closed, "serve")

    async def main() -> None:
        await operator_commits(operator)
        shown = {now.topic: now for now in await LogTopics(serve).now()}
        assert [topic for topic in ALL_TOPICS if not shown[topic].end] == []
        assert [group.group for group in shown[RAW].groups] == ["catalogizer.library"]
        consumer = serve.group_consumer("catalogizer.library")
        try:
            await consumer.start()
            consumer.subscribe([CHANGES.name])
            await asyncio.wait_for(consumer.getmany(timeout_ms=5_000), 10)
        finally:
            await stop_client(consumer)

    async def operator_commits(kafka: Kafka) -> None:
        consumer = kafka.group_consumer("catalogizer.library")
        try:
            await consumer.start()
            consumer.assign([TopicPartition(RAW.name, 0)])
            await consumer.commit({TopicPartition(RAW.name, 0): 0})
        finally:
            await stop_client(consumer)

    with pytest.raises(GroupAuthorizationFailedError):
        asyncio.run(main())


def test_the_projector_is_no_member_of_the_folds_group(closed: EmbeddedKafka) -> None:
    async def join() -> None:
        consumer = _as(closed, "project").group_consumer("catalogizer.library")
        try:
            await consumer.start()
            consumer.subscribe([CHANGES.name])
            await asyncio.wait_for(consumer.getmany(timeout_ms=5_000), 10)
        finally:
            await stop_client(consumer)

    with pytest.raises(GroupAuthorizationFailedError):
        asyncio.run(join())


def test_secrets_are_for_their_owner_alone(closed: EmbeddedKafka) -> None:
    assert closed.access is not None
    files = [closed.folder / "server.properties", *closed.access.folder.iterdir()]
    assert len(files) == 1 + len(closed.access.principals)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_brokers_that_enforce_nothing_are_named_as_that(kafka: Kafka) -> None:
    with pytest.raises(NoAuthorizer):
        asyncio.run(apply_acls(kafka))
