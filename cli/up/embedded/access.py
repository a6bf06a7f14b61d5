"""The embedded broker's principals: one for each component, with a secret that only the state folder's owner can read.

Secrets are generated once and kept, each in a file. The broker gets them in its configuration (SASL/PLAIN over loopback:
they never leave the machine); permissions come from the least-privilege table in `schemas.acls`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from cli.up.secret_file import kept_secret
from schemas.acls import COMPONENTS, OPERATOR, user_of

BROKER = "broker"
"""The principal with which the broker authenticates to itself, as its own controller and replica."""
PROTOCOL = "SASL_PLAINTEXT"
MECHANISM = "PLAIN"


@dataclass(frozen=True, slots=True)
class Access:
    """The principals of one broker. `folder`: where their secrets are kept."""

    folder: Path

    @property
    def principals(self) -> tuple[str, ...]:
        """All of them, by component."""
        return (BROKER, OPERATOR, *COMPONENTS)

    @property
    def super_users(self) -> tuple[str, ...]:
        """The principals that may do everything: the broker itself, and the operator, who provisions."""
        return (user_of(BROKER), user_of(OPERATOR))

    def secret_file(self, component: str) -> Path:
        """Where the secret of a component is kept."""
        return self.folder / user_of(component)

    def secrets(self) -> dict[str, str]:
        """Every principal's secret by its user name; made on first use. Raises OSError."""
        return {user_of(component): kept_secret(self.secret_file(component)) for component in self.principals}

    def settings(self, component: str) -> dict[str, Any]:
        """What a client needs to sign in as a component: fields of KafkaSettings. Raises OSError."""
        return {
            "security_protocol": PROTOCOL,
            "sasl_mechanism": MECHANISM,
            "sasl_username": user_of(component),
            "sasl_password": SecretStr(kept_secret(self.secret_file(component))),
        }
