"""Settings of what all processes have in common: Kafka, PostgreSQL, logs. Each package's own are in its `settings`;
`configuration` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, field_validator, model_validator

from runtime import client_properties
from runtime.configuration import Section, secret_now
from runtime.errors import SecretFileError, SettingsError
from schemas.topics import DEFAULT_LANES, EMBEDDED_LANES

_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^:,@/?#\[\]\s]*)(?::[0-9]{1,5})?"
_SERVERS = re.compile(rf"\s*{_HOST}(?:\s*,\s*{_HOST})*\s*")


class KafkaSettings(Section):
    """How to reach Kafka. Names are Kafka's own (dots become underscores in the environment)."""

    properties: SecretStr | None = Field(
        None,
        description="a `client.properties` of Kafka's tools, usually as `…PROPERTIES_FILE=path`; what is set by itself wins",
    )
    bootstrap_servers: str | None = Field(
        None, alias="bootstrap.servers", description="host:port list; unset: an embedded broker is started"
    )
    embedded_port: int | None = Field(
        None, ge=1, le=65535, description="port of the embedded broker on 127.0.0.1; unset: a free one, kept"
    )
    topic_prefix: str = Field(
        "",
        pattern=r"^([a-z0-9][a-z0-9-]*\.)?$",
        description="put before every topic, group and transactional id",
    )
    lanes: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="L, partitions of lane topics; unset: 4 embedded, 12 otherwise; fixed for the life of the log",
    )
    replication_factor: int | None = Field(None, ge=1, le=15, description="unset: 1 embedded, 3 otherwise")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", alias="security.protocol", description="the protocol between clients and brokers"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        "SCRAM-SHA-512", alias="sasl.mechanism", description="used with SASL_*"
    )
    sasl_username: str | None = Field(None, alias="sasl.username", description="used with PLAIN and SCRAM")
    sasl_password: SecretStr | None = Field(None, alias="sasl.password", description="used with PLAIN and SCRAM")
    sasl_oauthbearer_token_endpoint_url: str | None = Field(
        None,
        alias="sasl.oauthbearer.token.endpoint.url",
        description="used with OAUTHBEARER: where tokens are requested with client credentials; https, or this machine",
    )
    sasl_oauthbearer_client_id: str | None = Field(
        None, alias="sasl.oauthbearer.client.credentials.client.id", description="used with OAUTHBEARER"
    )
    sasl_oauthbearer_client_secret: SecretStr | None = Field(
        None, alias="sasl.oauthbearer.client.credentials.client.secret", description="used with OAUTHBEARER"
    )
    sasl_oauthbearer_scope: str | None = Field(
        None, alias="sasl.oauthbearer.scope", description="scopes to request for a token; unset: none"
    )
    sasl_oauthbearer_extensions: str | None = Field(
        None,
        alias="sasl.oauthbearer.extensions",
        pattern=r"^[A-Za-z]+=[^,=\s]+(,[A-Za-z]+=[^,=\s]+)*$",
        description="SASL extensions that go with a token: name=value, further ones after commas",
    )
    sasl_oauthbearer_cafile: Path | None = Field(
        None, description="PEM file of the authorities trusted at the token endpoint; unset: the system's"
    )
    ssl_cafile: Path | None = Field(
        None, alias="ssl.truststore.location", description="PEM file of the authorities trusted with SSL"
    )
    ssl_certfile: Path | None = Field(
        None,
        alias="ssl.keystore.location",
        description="PEM file of our own certificate with its chain, and with its key unless the next setting names one",
    )
    ssl_keyfile: Path | None = Field(None, alias="ssl.key.location", description="PEM file of its key")
    ssl_key_password: SecretStr | None = Field(
        None, alias="ssl.key.password", description="of the key, where it is encrypted"
    )
    principal: str | None = Field(
        None,
        description="our principal at the brokers, for messages; unset: user, certificate's subject or client id",
    )
    request_timeout_ms: int = Field(30_000, ge=1_000, le=600_000, alias="request.timeout.ms", description="ms")
    session_timeout_ms: int = Field(
        10_000, ge=1_000, le=300_000, alias="session.timeout.ms", description="group session, ms"
    )
    transaction_timeout_ms: int = Field(
        10_000, ge=1_000, le=900_000, alias="transaction.timeout.ms", description="ms"
    )

    @model_validator(mode="before")
    @classmethod
    def _with_properties(cls, given: Any) -> Any:
        """Add the values of the properties file that no other source sets. Raises SettingsError with its faults."""
        text = given.get("properties") if isinstance(given, dict) else None
        if isinstance(text, SecretStr):
            text = text.get_secret_value()
        if not isinstance(text, str):
            return given
        ours = {field.alias: name for name, field in cls.model_fields.items()}
        own = {ours.get(key, key) for key in given}
        return given | {name: value for name, value in client_properties.read(text).items() if name not in own}

    @field_validator("bootstrap_servers")
    @classmethod
    def _are_hosts(cls, servers: str | None) -> str | None:
        """Rejects a user and password in the server list: this setting is shown in messages."""
        if servers is not None and not _SERVERS.fullmatch(servers):
            raise ValueError("must be host:port, further ones after commas; who we are is sasl.username")
        return servers

    @property
    def embedded(self) -> bool:
        """True when no broker is configured and one is started here."""
        return self.bootstrap_servers is None

    @property
    def lane_count(self) -> int:
        """L with its default resolved."""
        return self.lanes or (EMBEDDED_LANES if self.embedded else DEFAULT_LANES)


_DATABASE_URL = re.compile(
    rf"postgres(?:ql)?://(?:[^:@/\s]*(?::[^@/\s]*)?@)?{_HOST}(?:,{_HOST})*(?:/[^/?#@\s]*)?(?P<more>\?[^#\s]*)?"
)
"""Strict, because a part of a password outside its place would be parsed as a host, a port or a database, which errors
show."""


class DatabaseSettings(Section):
    """How to reach PostgreSQL."""

    url: SecretStr | None = Field(
        None,
        description="postgresql://user:password@host:port/database; unset: an embedded server is started",
    )
    url_file: Path | None = Field(None, description="a file with it, which is read again for every connection")
    password: SecretStr | None = Field(None, min_length=1, description="instead of the one in the URL")
    password_file: Path | None = Field(
        None, description="a file with it, which is read again for every connection"
    )
    project_password: SecretStr | None = Field(
        None,
        min_length=16,
        description="`migrate` creates role catalogizer_project with it; unset: create the roles yourself",
    )
    serve_password: SecretStr | None = Field(
        None, min_length=16, description="the same for role catalogizer_serve"
    )

    @field_validator("url")
    @classmethod
    def _readable(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            _check_database_url(url.get_secret_value())
        return url

    @model_validator(mode="after")
    def _password_of_a_server(self) -> Self:
        if not self.configured and (self.password is not None or self.password_file is not None):
            raise ValueError("a password is set and no url: an embedded server makes its own")
        return self

    @property
    def configured(self) -> bool:
        """False when an embedded server is started."""
        return self.url is not None or self.url_file is not None

    @property
    def in_files(self) -> bool:
        """True when part of it is read again for every connection."""
        return self.url_file is not None or self.password_file is not None

    def dsn(self) -> str:
        """The URL for a new connection. Raises SettingsError if none is set (the caller starts no embedded server),
        SecretFileError."""
        url = self._url_now()
        password = None if self.password is None else self.password.get_secret_value()
        if self.password_file is not None:
            password = secret_now("CATALOGIZER_DATABASE__PASSWORD_FILE", self.password_file)
        if password is None:
            return url
        found = _DATABASE_URL.fullmatch(url)
        more = "&" if found is not None and found["more"] else "?"
        return f"{url}{more}password={quote(password, safe='')}"

    def address(self) -> str | Callable[[], str]:
        """The URL, or, if part of it is in a file, a function that reads it for each connection. Raises as `dsn` does."""
        url = self.dsn()
        return self.dsn if self.in_files else url

    def _url_now(self) -> str:
        if self.url_file is not None:
            variable = "CATALOGIZER_DATABASE__URL_FILE"
            url = secret_now(variable, self.url_file)
            try:
                _check_database_url(url)
            except ValueError as error:
                raise SecretFileError(variable, f"{self.url_file}: {error}") from None
            return url
        if self.url is None:
            raise SettingsError(("database.url: not set (CATALOGIZER_DATABASE__URL)",))
        return self.url.get_secret_value()


def _check_database_url(text: str) -> None:
    """Rejects invalid URLs here: PostgreSQL's library would quote them in its error, with the password."""
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("must begin with postgresql://")
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise ValueError("a % that is meant as itself is written %25")
    if not _DATABASE_URL.fullmatch(text):
        raise ValueError(
            "must be postgresql://user:password@host:port/database; in user and password @ is written %40, / %2F"
        )


class LogSettings(Section):
    """How processes log to standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level shown")
    format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal, else JSON")
