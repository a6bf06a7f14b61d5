"""Finds the installation that a command works on: the one in the settings, or else the platform of `catalogizer up` here.

A platform with embedded servers writes their addresses to `<state>/run.json`; commands use them if the settings name
no broker, so that every command works with a running `up` without any setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from pydantic import SecretStr

from cli.errors import NotRunning
from cli.provisioning.database_roles import PROJECT, SERVE
from cli.settings import Settings
from cli.up.embedded.access import Access
from cli.up.run_file import RunFile, path_in
from cli.up.state import DEMO_LIBRARY, StateFolder
from cli.up.supervision.hold import held
from producer.declared import Declared, declared, folder_of
from producer.settings import RootSpec
from runtime.configuration import load
from runtime.kafka import Kafka
from runtime.root_files import RootFiles
from schemas.acls import OPERATOR
from schemas.topics import EMBEDDED_LANES


def find() -> Settings:
    """The settings, completed with the broker and database of a platform running here. Raises SettingsError,
    NotRunning."""
    settings = load(Settings)
    if settings.kafka.bootstrap_servers is not None and settings.database.configured:
        return settings
    running = _running(settings)
    if running is None:
        if settings.kafka.bootstrap_servers is not None:  # a tool that needs no database can do without
            return settings
        raise NotRunning(_looked_at(settings))
    return with_running(settings, running)


@contextmanager
def out_of_service(component: str) -> Iterator[None]:
    """Stop a component of a platform of `up` that runs here for the block; its supervisor starts it again afterwards. Does
    nothing if none runs here. Raises NotHeld, OSError."""
    settings = load(Settings)
    running = _running(settings)
    if running is None:
        yield
        return
    state = StateFolder(settings.state_dir.resolve())
    with held(state.hold(component), state.folder, running.pids.get(component)):
        yield


def database_url() -> str:
    """The database's URL, for tools that need nothing else: the configured one, or that of a platform running here.
    Raises SettingsError, NotRunning."""
    settings = load(Settings)
    if settings.database.configured:
        return settings.database.dsn()
    running = _running(settings)
    if running is None:
        raise NotRunning(_looked_at(settings), "database", "CATALOGIZER_DATABASE__URL")
    return running.database_url


def role_passwords() -> dict[str, str]:
    """Passwords of the database roles that `migrate` creates: those that are set. Raises SettingsError."""
    database = load(Settings).database
    given = {PROJECT: database.project_password, SERVE: database.serve_password}
    return {role: password.get_secret_value() for role, password in given.items() if password is not None}


def roots_here(settings: Settings) -> Declared:
    """The roots declared here: in the settings, or by a platform that runs here, and in the roots folder. Raises OSError."""
    running = _running(settings)
    roots = settings.producer.roots
    if not roots and running is not None:
        named = running.library.items()
        roots = tuple(RootSpec(name=name, library=DEMO_LIBRARY, path=Path(path)) for name, path in named)
    return declared(roots, RootFiles(roots_folder(settings)).read())


def roots_folder(settings: Settings) -> Path:
    """The folder with roots that may be added and removed at run time."""
    return folder_of(settings.producer, settings.state_dir)


def _running(settings: Settings) -> RunFile | None:
    try:
        return msgspec.json.decode(path_in(settings.state_dir).read_bytes(), type=RunFile)
    except (OSError, msgspec.DecodeError):  # none runs, or one of another version: nothing is known of it
        return None


def _looked_at(settings: Settings) -> str:
    path = path_in(settings.state_dir)
    try:
        path.open().close()
    except PermissionError:
        return f"{path}, which belongs to another user"
    except OSError:
        return str(path)
    return f"{path}, which another version wrote"


def with_running(settings: Settings, running: RunFile) -> Settings:
    """The settings, completed with the running platform's addresses."""
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
    if not database.configured:
        database = database.model_copy(update={"url": SecretStr(running.database_url)})
    return settings.model_copy(update={"kafka": kafka, "database": database})


def _credentials(running: RunFile) -> dict[str, Any]:
    """The operator's credentials for an embedded broker. Raises OSError for anybody but the state folder's owner."""
    if running.kafka_secret_file is None:
        return {}
    return Access(Path(running.kafka_secret_file).parent).settings(OPERATOR)


def tool_kafka(settings: Settings, tool: str) -> Kafka:
    """The Kafka client factory of a command line tool."""
    return Kafka(settings.kafka, tool)
