"""How the new brokers are reached, and the settings with which the platform uses them afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiokafka.errors import KafkaError
from pydantic import SecretStr, ValidationError

from cli.errors import BadArgument
from cli.moving.errors import Unreachable
from cli.provisioning.topics import administration
from cli.settings import Settings
from cli.up.state import StateFolder
from runtime import client_properties
from runtime.configuration import PREFIX
from runtime.errors import SettingsError
from runtime.kafka import Kafka
from runtime.kafka_admission import check_admission
from runtime.kafka_tokens import TokenError
from runtime.settings import KafkaSettings

ANSWER_SECONDS = 30.0


def new_brokers(here: KafkaSettings, properties: Path, prefix: str | None, replication_factor: int) -> Kafka:
    """Clients of the brokers in a properties file, for a log with as many lanes as the one here. Raises BadArgument,
    SettingsError."""
    try:
        text = properties.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text in UTF-8"
        raise BadArgument(str(properties), str(reason)) from None
    try:
        settings = KafkaSettings(
            properties=SecretStr(text),
            topic_prefix=here.topic_prefix if prefix is None else prefix,
            lanes=here.lane_count,
            replication_factor=replication_factor,
        )
    except SettingsError as error:
        raise SettingsError(
            tuple(fault.replace(client_properties.SOURCE, str(properties), 1) for fault in error.faults)
        ) from None
    except ValidationError as error:  # without the value: it may be a secret
        faults = [f"{properties}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise SettingsError(tuple(faults)) from None
    if settings.bootstrap_servers is None:
        raise BadArgument(str(properties), "names no brokers: bootstrap.servers=host:port")
    return Kafka(settings, "move-log")


async def checked(target: Kafka, properties: Path) -> None:
    """Return if the brokers answer, and accept the credentials. Raises Unreachable, SettingsError."""
    try:
        await check_admission(target)
    except SettingsError as error:
        raise SettingsError(tuple(f"{properties}: {fault}" for fault in error.faults)) from None
    try:
        async with asyncio.timeout(ANSWER_SECONDS), administration(target) as admin:
            await admin.describe_cluster()
    except TimeoutError:
        raise Unreachable(properties, f"no answer within {ANSWER_SECONDS:g} s") from None
    except (KafkaError, OSError, TokenError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise Unreachable(properties, text) from None


def variables(settings: Settings, target: Kafka, properties: Path) -> dict[str, str]:
    """The environment variables with which the platform of this folder uses the new brokers."""
    ours = target.settings
    needed = {
        "KAFKA__PROPERTIES_FILE": str(properties.absolute()),
        "KAFKA__LANES": str(ours.lane_count),
        "KAFKA__REPLICATION_FACTOR": str(ours.replication_factor),
    }
    if ours.topic_prefix:
        needed["KAFKA__TOPIC_PREFIX"] = ours.topic_prefix
    secret = StateFolder(settings.state_dir.absolute()).token_secret
    if settings.gateway.token_secret is None and secret.exists():
        needed["GATEWAY__TOKEN_SECRET_FILE"] = str(secret)
    return {PREFIX + name: value for name, value in needed.items()}
