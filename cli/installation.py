"""Which installation a command works on: the one in the settings, or else the platform that `catalogizer up` runs here.

A platform with embedded servers writes their addresses to `<state>/run.json`; commands use them if the settings name
no broker, so that every command works beside `up` without any setting.
"""

from __future__ import annotations

import msgspec
from pydantic import SecretStr

from cli.errors import NotRunning
from cli.settings import Settings
from cli.up.run_file import RunFile, path_in
from runtime.kafka import Kafka
from runtime.settings import load
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
    """The settings, with the running platform's addresses where they name none."""
    kafka, database = settings.kafka, settings.database
    if kafka.bootstrap_servers is None:
        kafka = kafka.model_copy(
            update={
                "bootstrap_servers": running.bootstrap_servers,
                "lanes": kafka.lanes or EMBEDDED_LANES,
                "replication_factor": kafka.replication_factor or 1,
            }
        )
    if database.url is None:
        database = database.model_copy(update={"url": SecretStr(running.database_url)})
    return settings.model_copy(update={"kafka": kafka, "database": database})


def tool_kafka(settings: Settings, tool: str) -> Kafka:
    """A client maker for a tool of the command line."""
    return Kafka(settings.kafka, tool)
