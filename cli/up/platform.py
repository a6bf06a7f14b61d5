"""Derives one run from the settings: which servers are embedded, and the environment of every child.

Children get the settings by their environment, so a service under `up` runs exactly as it does alone. Each gets only the
secrets that it needs, and authenticates to the embedded broker as its own principal.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import SecretStr

from cli.provisioning.database_roles import OWNER, PROJECT, SERVE
from cli.settings import Settings
from cli.up import ports
from cli.up.embedded import jars
from cli.up.embedded.access import MECHANISM, PROTOCOL, Access
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from cli.up.output import SetupOutput
from cli.up.run_file import RunFile
from cli.up.secret_file import kept_secret
from cli.up.state import StateFolder
from cli.up.supervision.component import Plan, service
from cli.up.supervision.program import STATE_MARK, Program, python
from gateway.access.account_admin import ADMIN
from gateway.public import public_url
from producer.declared import folder_of
from producer.settings import RootSpec
from runtime.configuration import PREFIX, variables
from runtime.lifecycle import READY_FILE
from runtime.settings import KafkaSettings
from schemas.acls import COMPONENTS, OPERATOR, user_of
from schemas.topics import EMBEDDED_LANES

_OF_KAFKA = frozenset(
    {
        "KAFKA__PROPERTIES",
        "KAFKA__SASL_PASSWORD",
        "KAFKA__SASL_OAUTHBEARER_CLIENT_SECRET",
        "KAFKA__SSL_KEY_PASSWORD",
    }
)
SECRETS: dict[str, frozenset[str]] = {
    "watch": _OF_KAFKA,
    "stream": _OF_KAFKA,
    "project": _OF_KAFKA | {"DATABASE__URL", "DATABASE__PASSWORD"},
    "serve": _OF_KAFKA | {"DATABASE__URL", "DATABASE__PASSWORD", "GATEWAY__TOKEN_SECRET"},
}
"""The secret settings that each service is given."""
DATABASE_ROLES = {"project": PROJECT, "serve": SERVE}
"""The role with which each service uses an embedded database."""
TOKEN_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform, ready to run. `settings`: as configured; `kafka` and `postgres`: embedded, or None; `roots`: those of
    the settings, or (`demo`) the demo library's."""

    settings: Settings
    state: StateFolder
    kafka: EmbeddedKafka | None
    postgres: EmbeddedPostgres | None
    roots: tuple[RootSpec, ...]
    demo: bool = False

    @property
    def database_url(self) -> str:
        """The URL of the database for the owner of its tables, including the password."""
        return self._url_of(OWNER)

    @property
    def kafka_settings(self) -> KafkaSettings:
        """The settings of the broker in use, for provisioning; unset values are resolved as for an embedded one."""
        configured = self.settings.kafka
        if self.kafka is None:
            return configured
        credentials = {} if self.kafka.access is None else self.kafka.access.settings(OPERATOR)
        return configured.model_copy(
            update=credentials
            | {
                "bootstrap_servers": self.kafka.bootstrap_servers,
                "lanes": configured.lanes or EMBEDDED_LANES,
                "replication_factor": configured.replication_factor or 1,
            }
        )

    def run_file(self, pids: Mapping[str, int]) -> RunFile:
        """The contents of `run.json`."""
        gateway = self.settings.gateway
        address = public_url(gateway.model_copy(update={"public_url": None}))  # for users of this machine
        access = None if self.kafka is None else self.kafka.access
        kept = self.state.admin_password
        return RunFile(
            url=address,
            ws_url=f"ws{address.removeprefix('http')}/ws",
            admin_user=ADMIN,
            admin_password_file=str(kept) if kept.exists() else "",
            bootstrap_servers=str(self.kafka_settings.bootstrap_servers),
            kafka_secret_file=None if access is None else str(access.secret_file(OPERATOR)),
            database_url=self.database_url,
            library={root.name: root.location for root in self.roots},
            pids=dict(pids),
        )

    @property
    def roots_folder(self) -> Path:
        """The folder in which further roots are declared at run time."""
        return folder_of(self.settings.producer, self.state.folder).resolve()

    def servers(self) -> list[Plan]:
        """Plans of the embedded servers."""
        plans = []
        for name, server in (("kafka", self.kafka), ("postgres", self.postgres)):
            if server is not None:
                plans.append(server_plan(name, server, self._mark(), self.state.hold(name)))
        return plans

    def services(self) -> list[Plan]:
        """Plans of our own processes."""
        plans = []
        for name in COMPONENTS:
            ready_file = self.state.ready_file(name)
            environment = {**self.environment(name), READY_FILE: str(ready_file)}
            program = python(name, ("-m", "cli.main", name), environment)
            plans.append(service(name, program, ready_file, self.state.hold(name)))
        return plans

    def chore(self) -> Program:
        """Makes Java's class cache."""
        return python("class-cache", ("-m", "cli.up.embedded.class_cache"), self._mark())

    def environment(self, service: str) -> dict[str, str]:
        """A service's environment, without its ready file: our own settings except the secrets of other services, with
        unset values filled in."""
        kafka = self.kafka_settings
        given = {
            "STATE_DIR": str(self.state.folder),
            "KAFKA__BOOTSTRAP_SERVERS": str(kafka.bootstrap_servers),
            "PRODUCER__ROOTS": json.dumps(self._watched_roots(service)),
            "PRODUCER__ROOTS_FOLDER": str(self.roots_folder),
            "STREAMS__ANALYSIS__ROOTS": json.dumps(self._analysed_roots()),
            "STREAMS__ANALYSIS__SHARES": json.dumps(self._analysed_shares() if service == "stream" else {}),
            "STREAMS__ANALYSIS__ROOTS_FOLDER": str(
                self.settings.streams.analysis.roots_folder or self.roots_folder
            ),
        }
        if service in DATABASE_ROLES and not (self.postgres is None and self.settings.database.in_files):
            given["DATABASE__URL"] = self._url_of(DATABASE_ROLES[service])
        if kafka.lanes is not None:
            given["KAFKA__LANES"] = str(kafka.lanes)
        if kafka.replication_factor is not None:
            given["KAFKA__REPLICATION_FACTOR"] = str(kafka.replication_factor)
        if self.kafka is not None and (access := self.kafka.access) is not None:
            given |= {
                "KAFKA__SECURITY_PROTOCOL": PROTOCOL,
                "KAFKA__SASL_MECHANISM": MECHANISM,
                "KAFKA__SASL_USERNAME": user_of(service),
                "KAFKA__SASL_PASSWORD_FILE": str(access.secret_file(service)),
            }
        if service == "serve" and self.kafka is not None and self.settings.gateway.token_secret is None:
            kept_secret(self.state.token_secret, TOKEN_SECRET_BYTES)
            given["GATEWAY__TOKEN_SECRET_FILE"] = str(self.state.token_secret)
        ours = {PREFIX + name: value for name, value in given.items()} | self._mark()
        replaced = {name.removesuffix("_FILE") for name in ours}
        passed = {
            name: value
            for name, value in _passed_on(service, os.environ).items()
            if name.removesuffix("_FILE") not in replaced
        }
        return passed | ours

    def _url_of(self, role: str) -> str:
        return self.postgres.role_url(role) if self.postgres else self.settings.database.dsn()

    def _mark(self) -> dict[str, str]:
        return {STATE_MARK: str(self.state.folder)}

    def _watched_roots(self, service: str) -> list[dict[str, object]]:
        """The roots of the settings. `watch` gets the passwords of shares; for other services roots with one are left
        out."""
        given = [root for root in self.roots if service == "watch" or root.password is None]
        return [_with_password(root.model_dump(mode="json"), root.password) for root in given]

    def _analysed_roots(self) -> dict[str, str]:
        here = {root.name: str(root.path) for root in self._here() if root.protocol == "local"}
        return here | {name: str(path) for name, path in self.settings.streams.analysis.roots.items()}

    def _analysed_shares(self) -> dict[str, dict[str, object]]:
        here = {root.name: root.share_address for root in self._here() if root.protocol == "smb"}
        shares = here | self.settings.streams.analysis.shares
        return {
            name: _with_password(share.model_dump(mode="json"), share.password) for name, share in shares.items()
        }

    def _here(self) -> list[RootSpec]:
        return [root for root in self.roots if root.site == self.settings.streams.site]


def _with_password(given: dict[str, object], password: SecretStr | None) -> dict[str, object]:
    return given if password is None else given | {"password": password.get_secret_value()}


def _passed_on(service: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Our settings from the environment, without the secrets that the service does not need."""
    withheld = {
        variable
        for variable, field in variables(Settings).items()
        if SecretStr in (field.annotation, *get_args(field.annotation))
        and variable.removeprefix(PREFIX) not in SECRETS[service]
    }
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name not in withheld and name.removesuffix("_FILE") not in withheld
    }


def embedded_broker(
    settings: Settings, state: StateFolder, output: SetupOutput, *, still: bool = False
) -> EmbeddedKafka:
    """The broker of a state folder, whose jars are fetched if they are missing. `still`: as there. Raises UpError,
    OSError."""
    port = ports.kept_port(state.port("kafka"), settings.kafka.embedded_port, f"{PREFIX}KAFKA__EMBEDDED_PORT")
    paths = jars.obtain(jars.locked(jars.SERVER), jars.cache_folder() / "kafka", output)
    return EmbeddedKafka(state.kafka, port, paths, Access(state.kafka_secrets), still=still)


def server_plan(
    name: str, server: EmbeddedKafka | EmbeddedPostgres, mark: Mapping[str, str], hold: Path | None = None
) -> Plan:
    """The plan of an embedded server, which is prepared before every start, because its last run may have left something."""

    async def program() -> Program:
        await asyncio.to_thread(server.prepare)
        return server.program(mark)

    return Plan(name, program, server.ready, ours=False, hold=hold)
