"""Which settings a deployment passes to which process, and which it does not pass and why.

docker-compose.yml gets its lists from here (`infra/compose/settings`, generated): what stands in them is passed where `.env`
sets it. infra/helm and infra/terraform are compared with these tables by tests, so that a new setting is either passed or
listed here with a reason. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr

from cli.settings import Settings
from runtime.configuration import variables

FOLDER = Path("infra/compose/settings")
HEAD = "# Passed where .env sets it (docs/settings.md); written by python -m tools.generate\n"

READERS: tuple[tuple[str, str], ...] = (
    ("CATALOGIZER_STREAMS__PROJECTOR_HEALTH__", "project"),
    ("CATALOGIZER_PRODUCER__", "watch"),
    ("CATALOGIZER_STREAMS__", "stream"),
    ("CATALOGIZER_ALERTS__", "stream"),
    ("CATALOGIZER_GATEWAY__", "serve"),
    ("CATALOGIZER_KAFKA__", "kafka"),
    ("CATALOGIZER_DATABASE__", "database"),
    ("CATALOGIZER_ADMIN_PASSWORD", "admin"),
    ("CATALOGIZER_", "every"),
)
"""By the beginning of a setting's name, the first that fits: its process; or `kafka` and `database`, which are the processes
that use the one or the other; or `every`."""

_FIXED = {
    "CATALOGIZER_STATE_DIR": "the volume's place in the image",
    "CATALOGIZER_KAFKA__EMBEDDED_PORT": "the image has no embedded broker",
    "CATALOGIZER_PRODUCER__ROOTS_FOLDER": "roots.d in the volume of the state",
    "CATALOGIZER_STREAMS__ANALYSIS__ROOTS_FOLDER": "a folder of that process's machine; roots are given by the list",
    "CATALOGIZER_DATABASE__PASSWORD": "part of the address",
    "CATALOGIZER_DATABASE__PASSWORD_FILE": "part of the address",
    "CATALOGIZER_PRODUCER__HEALTH__HOST": "inside the container",
    "CATALOGIZER_PRODUCER__HEALTH__PORT": "asked by the health check",
    "CATALOGIZER_STREAMS__HEALTH__HOST": "inside the container",
    "CATALOGIZER_STREAMS__HEALTH__PORT": "asked by the health check",
    "CATALOGIZER_STREAMS__PROJECTOR_HEALTH__HOST": "inside the container",
    "CATALOGIZER_STREAMS__PROJECTOR_HEALTH__PORT": "asked by the health check",
    "CATALOGIZER_GATEWAY__HEALTH__HOST": "inside the container",
    "CATALOGIZER_GATEWAY__HEALTH__PORT": "asked by the health check",
    "CATALOGIZER_GATEWAY__HOST": "inside the container",
    "CATALOGIZER_GATEWAY__PORT": "inside the container; what is published is another setting",
}
"""Set by each deployment, or of no use in one."""

NOT_PASSED: dict[str, dict[str, str]] = {
    "compose": _FIXED
    | {
        "CATALOGIZER_ADMIN_PASSWORD": "secrets/admin_password",
        "CATALOGIZER_LOG__LEVEL": "has a line of its own, with the default",
        "CATALOGIZER_PRODUCER__ROOTS": "has a line of its own, because it must be given",
        "CATALOGIZER_STREAMS__ANALYSIS__ROOTS": "has a line of its own, because it must be given",
        "CATALOGIZER_GATEWAY__TOKEN_SECRET": "secrets/token_secret",
        "CATALOGIZER_DATABASE__URL": "secrets/database_url",
        "CATALOGIZER_DATABASE__URL_FILE": "secrets/database_url",
        "CATALOGIZER_DATABASE__PROJECT_PASSWORD": "the database is the deployment's own, with one role",
        "CATALOGIZER_DATABASE__SERVE_PASSWORD": "the database is the deployment's own, with one role",
    },
    "helm": _FIXED
    | dict.fromkeys(
        (
            "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS",
            "CATALOGIZER_KAFKA__REPLICATION_FACTOR",
            "CATALOGIZER_KAFKA__LANES",
            "CATALOGIZER_KAFKA__SECURITY_PROTOCOL",
            "CATALOGIZER_KAFKA__SASL_MECHANISM",
            "CATALOGIZER_ADMIN_PASSWORD",
            "CATALOGIZER_DATABASE__URL",
            "CATALOGIZER_DATABASE__URL_FILE",
            "CATALOGIZER_GATEWAY__TOKEN_SECRET",
            "CATALOGIZER_PRODUCER__ROOTS",
            "CATALOGIZER_STREAMS__ANALYSIS__ROOTS",
        ),
        "has a value of its own in values.yaml",
    )
    | dict.fromkeys(
        ("CATALOGIZER_DATABASE__PROJECT_PASSWORD", "CATALOGIZER_DATABASE__SERVE_PASSWORD"),
        "all processes use one address of the database",
    ),
    "terraform": _FIXED
    | {
        "CATALOGIZER_KAFKA__PROPERTIES": "variable kafka.existing has the same, with types",
        "CATALOGIZER_KAFKA__SSL_KEYFILE": "the key is in the certificate's secret",
        "CATALOGIZER_KAFKA__SSL_KEY_PASSWORD": "the secret with the key is encrypted as a whole",
        "CATALOGIZER_ADMIN_PASSWORD": "a secret of module secrets",
        "CATALOGIZER_DATABASE__URL": "of module database",
        "CATALOGIZER_DATABASE__URL_FILE": "of module database",
        "CATALOGIZER_DATABASE__PROJECT_PASSWORD": "a secret of module secrets",
        "CATALOGIZER_DATABASE__SERVE_PASSWORD": "a secret of module secrets",
        "CATALOGIZER_GATEWAY__TOKEN_SECRET": "a secret of module secrets",
        "CATALOGIZER_PRODUCER__ROOTS": "variable roots of module producer",
    },
}
"""By deployment: the settings that an operator cannot set, with the reason."""


def reader(variable: str) -> str:
    """Who reads a setting, as in `READERS`."""
    return next(name for start, name in READERS if variable.startswith(start))


def is_secret(field: Any) -> bool:
    """Whether a setting's value must not stand in an environment."""
    return SecretStr in (field.annotation, *get_args(field.annotation))


def passed(deployment: str) -> dict[str, str]:
    """The variables that a deployment passes, each with its reader. A secret is passed as the file that has it."""
    skipped = NOT_PASSED[deployment]
    return {
        form: reader(variable)
        for variable, field in variables(Settings).items()
        if variable not in skipped
        for form in _forms(variable, field)
    }


def files() -> dict[Path, str]:
    """The generated files."""
    given = passed("compose")
    return {
        FOLDER / f"{name}.env": HEAD + "".join(f"{variable}\n" for variable, who in given.items() if who == name)
        for name in sorted(set(given.values()))
    }


def _forms(variable: str, field: Any) -> Iterator[str]:
    if not is_secret(field):
        yield variable
    if is_secret(field) or variable == "CATALOGIZER_GATEWAY__OIDC":  # whose entries may have secrets
        yield f"{variable}_FILE"
