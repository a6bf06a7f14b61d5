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
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from runtime.errors import SecretFileError, SettingsError

PREFIX = "CATALOGIZER_"
NOT_SETTINGS = frozenset({"CATALOGIZER_CONFIG_FILE", "CATALOGIZER_READY_FILE"})
"""Variables with the prefix that are not settings."""


class Section(BaseModel):
    """Base of every service's settings: frozen, unknown names forbidden, defaults validated too."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, populate_by_name=True)


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


def secret_now(variable: str, file: Path) -> str:
    """The secret that is in a file now. `variable`: what names the file. Raises SecretFileError."""
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
