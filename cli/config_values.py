"""Every setting with its value, where the value comes from, and its meaning; secrets redacted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from pydantic import BaseModel, SecretStr

from cli.settings import Settings
from runtime.configuration import PREFIX, Section, variables

REDACTED = "[set, not shown]"
NOT_SET = "[not set]"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `variable`: its environment variable; `value`: as text, secrets redacted;
    `source`: environment, secret file, configuration file or default."""

    variable: str
    key: str
    value: str
    source: str
    description: str


def settings_of(settings: Settings, environ: Mapping[str, str]) -> list[Setting]:
    """Every setting with its present value."""
    values = _values(settings, "")
    defaults = _values(Settings.model_construct(), "")
    found = []
    for variable, field in variables(Settings).items():
        key = variable.removeprefix(PREFIX).lower().replace("__", ".")
        found.append(
            Setting(
                variable,
                key,
                shown_value(values[key]),
                _source(variable, environ, values[key] == defaults[key]),
                field.description or "",
            )
        )
    return found


def shown_value(value: Any) -> str:
    """A value as it is written in the environment. For a secret, or a URL that contains one, only whether it is set."""
    match value:
        case None:
            return NOT_SET
        case SecretStr():
            return REDACTED
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case tuple() | list() | dict():
            return msgspec.json.encode(value, enc_hook=_plain).decode()
        case _:
            return str(value)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def _values(model: BaseModel, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Section):
            found |= _values(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _source(variable: str, environ: Mapping[str, str], default: bool) -> str:
    if variable in environ:
        return "environment"
    if variable + "_FILE" in environ:
        return "secret file"
    return "default" if default else "configuration file"
