"""Settings: read once in an entry point, frozen, passed down.

Sources, later ones win: defaults, one TOML file (`CATALOGIZER_CONFIG_FILE`), the environment with the nested
prefix `CATALOGIZER_` (`CATALOGIZER_GATEWAY__PORT`), and `…_FILE` variables that name a file holding a secret.
A name that is not a setting is rejected: a misspelt setting must never be silently ignored.
"""

from __future__ import annotations

import difflib
import itertools
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, get_origin
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from runtime import client_properties
from runtime.errors import SecretFileError, SettingsError
from schemas.topics import DEFAULT_LANES, EMBEDDED_LANES

PREFIX = "CATALOGIZER_"
NOT_SETTINGS = frozenset({"CATALOGIZER_CONFIG_FILE", "CATALOGIZER_READY_FILE"})
"""Variables with the prefix that are not settings."""


class Section(BaseModel):
    """Base of every service's settings: frozen, unknown names forbidden, defaults validated too."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, populate_by_name=True)


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
            password = _secret_now("CATALOGIZER_DATABASE__PASSWORD_FILE", self.password_file)
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
            url = _secret_now(variable, self.url_file)
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


def _secret_now(variable: str, file: Path) -> str:
    try:
        secret = _read_secret(file)
    except (OSError, UnicodeDecodeError) as error:
        raise SecretFileError(variable, _unread(error)) from None
    if not secret:
        raise SecretFileError(variable, f"{file} is empty")
    return secret


def _read_secret(file: Path) -> str:
    return file.read_text().rstrip("\n")


def _unread(error: OSError | UnicodeDecodeError) -> str:
    """The reason without the file's contents, which a UnicodeDecodeError would show."""
    return str(error) if isinstance(error, OSError) else "is not text in UTF-8"


class LogSettings(Section):
    """How processes log to standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level shown")
    format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal, else JSON")


class RootSettings(BaseSettings):
    """Base of the whole tree of settings (the entry point's class)."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over TOML file over defaults."""
        sources = [init_settings, env_settings]
        if toml := os.environ.get("CATALOGIZER_CONFIG_FILE"):
            sources.append(TomlConfigSettingsSource(settings_cls, Path(toml)))
        return tuple(sources)


S = TypeVar("S", bound=RootSettings)


def load(cls: type[S]) -> S:
    """Read the settings. Raises SettingsError with every fault found, each naming its key."""
    _check_toml()
    unknown = _unknown_variables(cls, os.environ)
    secrets, secret_faults = _secret_files(os.environ)
    not_json = _not_json(cls, os.environ | secrets)
    faults = [*unknown.values(), *secret_faults, *not_json.values()]
    before = dict(os.environ)
    os.environ.update(secrets)
    for name in {secret + "_FILE" for secret in secrets} - variables(cls).keys():  # the others are settings
        del os.environ[name]
    for name in unknown.keys() | not_json.keys():  # pydantic would quote a whole section with them
        os.environ.pop(name, None)
    try:
        settings = cls()
    except ValidationError as error:
        known = variables(cls)
        faults += [_fault(e, known) for e in error.errors(include_url=False)]
    except SettingsError as error:  # of a file of properties
        faults += error.faults
    finally:
        os.environ.clear()
        os.environ.update(before)
    if faults:
        raise SettingsError(tuple(faults))
    return settings


def _check_toml() -> None:
    name = os.environ.get("CATALOGIZER_CONFIG_FILE")
    if not name:
        return
    try:
        tomllib.loads(Path(name).read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError((f"CATALOGIZER_CONFIG_FILE={name}: {error}",)) from error


def variables(cls: type[BaseModel], prefix: str = PREFIX) -> dict[str, Any]:
    """Every environment variable of a settings tree with its field (a pydantic FieldInfo)."""
    found: dict[str, Any] = {}
    for name, field in cls.model_fields.items():
        variable = prefix + name.upper()
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            found |= variables(annotation, variable + "__")
        else:
            found[variable] = field
    return found


def _unknown_variables(cls: type[BaseModel], environ: Mapping[str, str]) -> dict[str, str]:
    known = variables(cls)
    faults = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or name in known:
            continue
        if name.endswith("_FILE") and name.removesuffix("_FILE") in known:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else "; see `catalogizer config print`"
        faults[name] = f"{name}: no such setting{hint}"
    return faults


def _not_json(cls: type[BaseModel], environ: Mapping[str, str]) -> dict[str, str]:
    """The faults of variables that must be a JSON list or object and are not."""
    faults = {}
    for name, field in variables(cls).items():
        kind = _JSON_KINDS.get(get_origin(field.annotation))
        if kind is None or name not in environ:
            continue
        try:
            json.loads(environ[name])
        except ValueError:
            shown = "what it is set to" if _names_a_secret(environ[name]) else repr(environ[name])
            faults[name] = f"{name}: {shown} is not {kind}{_example(field)}"
    return faults


_JSON_KINDS = {tuple: "a JSON list", dict: "a JSON object"}


_CREDENTIALS = re.compile(r"\S*@")
"""What may be the user and password in an address."""


def _example(field: Any) -> str:
    return f"; for example {field.examples[0]}" if field.examples else ""


def _secret_files(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    values, faults = {}, []
    for name, path in environ.items():
        if name.startswith(PREFIX) and name.endswith("_FILE") and name not in NOT_SETTINGS:
            try:
                values[name.removesuffix("_FILE")] = _read_secret(Path(path))
            except (OSError, UnicodeDecodeError) as error:
                faults.append(f"{name}: {_unread(error)}")
    return values, faults


def _fault(error: Any, known: Mapping[str, Any]) -> str:
    place = error["loc"]
    key = ".".join(str(part) for part in place) or "settings"
    named = itertools.takewhile(lambda part: isinstance(part, str), place)
    parts = [part.upper() for part in named]
    variable = PREFIX + "__".join(part.replace(".", "_") for part in parts)
    if variable not in known:  # Kafka's own name
        variable = next((v for v, field in known.items() if parts and _alias(field) == parts[-1]), variable)
    secret = _names_a_secret(key) or key.endswith(("url", "key"))
    # A misspelt name may be that of a secret, and a section's variable may contain the whole section.
    hidden = secret or error["type"] in ("missing", "extra_forbidden") or variable not in known
    value = "" if hidden else f", got {_without_secrets(error['input'])!r}"
    example = _example(known[variable]) if variable in known else ""
    return f"{key} ({variable}): " + _CREDENTIALS.sub("***@", f"{error['msg']}{value}{example}")


def _alias(field: Any) -> str:
    return (field.alias or "").upper()


def _names_a_secret(text: str) -> bool:
    """True for the name of a secret, or of a whole file that may contain one."""
    return any(word in text.lower() for word in ("password", "secret", "properties"))


def _without_secrets(value: Any) -> Any:
    """A value as it may be shown: a section, or a list of sections, may contain a password."""
    match value:
        case dict():
            return {
                key: "***" if _names_a_secret(str(key)) else _without_secrets(inner)
                for key, inner in value.items()
            }
        case list() | tuple():
            return [_without_secrets(inner) for inner in value]
        case _:
            return value
