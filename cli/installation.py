"""Which installation a command talks to: the settings, or else the platform that `catalogizer up` runs here.

A platform with embedded parts says in `<state>/run.json` where they are; tools use that where the settings name
no broker, so that every command works beside `up` without a variable set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from pydantic import SecretStr

from cli.errors import NotRunning
from cli.settings import Settings
from cli.up.embedded.access import Access
from cli.up.run_file import RunFile, path_in
from runtime.kafka import Kafka
from runtime.settings import load
from schemas.acls import OPERATOR
from schemas.topics import EMBEDDED_LANES


def find() -> Settings:
    """The settings, with broker and database of a platform running here where they name none. Raises
    SettingsError, NotRunning."""
    settings = load(Settings)
    if settings.kafka.bootstrap_servers is not None and settings.database.url is not None:
        return settings
    path = path_in(settings.state_dir)
    try:
        running = msgspec.json.decode(path.read_bytes(), type=RunFile)
    except (OSError, msgspec.DecodeError) as error:
        if settings.kafka.bootstrap_servers is not None:  # a tool that needs no database can do without
            return settings
        raise NotRunning(str(path)) from error
    return with_running(settings, running)


def with_running(settings: Settings, running: RunFile) -> Settings:
    """What the settings leave open is the running platform's; the rest stays."""
    kafka, database = settings.kafka, settings.database
    if kafka.bootstrap_servers is None:
        kafka = kafka.model_copy(
            update=_credentials(running)
            | {
                "bootstrap_servers": running.bootstrap_servers,
                "lanes": kafka.lanes or EMBEDDED_LANES,
                "replication_factor": kafka.replication_factor or 1,
            }
        )
    if database.url is None:
        database = database.model_copy(update={"url": SecretStr(running.database_url)})
    return settings.model_copy(update={"kafka": kafka, "database": database})


def _credentials(running: RunFile) -> dict[str, Any]:
    """The operator's, of an embedded broker. Raises OSError for anybody but the state folder's owner."""
    if running.kafka_secret_file is None:
        return {}
    return Access(Path(running.kafka_secret_file).parent).settings(OPERATOR)


def tool_kafka(settings: Settings, tool: str) -> Kafka:
    """A client maker for a tool of the command line."""
    return Kafka(settings.kafka, tool)
