"""All settings as one tree; each service receives its own section and the shared ones."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from gateway.settings import GatewaySettings
from producer.settings import ProducerSettings
from runtime.configuration import RootSettings
from runtime.settings import DatabaseSettings, KafkaSettings, LogSettings
from runtime.traces import TracesSettings
from streams.alerts.settings import AlertSettings
from streams.settings import StreamsSettings


class Settings(RootSettings):
    """The whole configuration of an installation."""

    state_dir: Path = Field(
        Path(".catalogizer"), description="where state is kept: outbox, embedded parts, logs, secrets"
    )
    admin_password: SecretStr | None = Field(
        None,
        min_length=8,
        description="password of user `admin`, set when this is new or another one; unset: one is generated",
    )
    kafka: KafkaSettings = Field(KafkaSettings(), description="the log")
    database: DatabaseSettings = Field(DatabaseSettings(), description="PostgreSQL")
    log: LogSettings = Field(LogSettings(), description="logging")
    traces: TracesSettings = Field(TracesSettings(), description="spans of what becomes of an observation")
    producer: ProducerSettings = Field(ProducerSettings(), description="`catalogizer watch`")
    streams: StreamsSettings = Field(StreamsSettings(), description="`catalogizer stream` and `project`")
    alerts: AlertSettings = Field(AlertSettings(), description="alerts to people")
    gateway: GatewaySettings = Field(GatewaySettings(), description="`catalogizer serve`")
