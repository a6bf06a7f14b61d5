"""Settings of Kafka's clients on their way to a process of a test, with their secrets, which they hide elsewhere."""

from __future__ import annotations

import json

from pydantic import SecretStr

from runtime.settings import KafkaSettings

SECURITY = ("security_", "sasl_", "ssl_", "principal")


def revealed(settings: KafkaSettings) -> dict[str, str | int]:
    """Every setting that is set, by its name; paths as text."""
    found: dict[str, str | int] = {}
    for name, value in settings.model_dump(exclude_none=True).items():
        secret = isinstance(value, SecretStr)
        found[name] = value.get_secret_value() if secret else value if isinstance(value, int) else str(value)
    return found


def as_json(settings: KafkaSettings) -> str:
    """To be read by `KafkaSettings.model_validate_json`."""
    return json.dumps(revealed(settings))


def security(settings: KafkaSettings) -> dict[str, str]:
    """A client's credentials and trusted authorities, as variables without a prefix."""
    return {name.upper(): str(value) for name, value in revealed(settings).items() if name.startswith(SECURITY)}
