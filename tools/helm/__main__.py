"""`python -m tools.helm`: lints the chart, renders it with each of its examples, and validates the result.

Helm is the machine's, or is built from Go's modules the first time. The schemas are Kubernetes' own, of the versions in
`KUBERNETES`, in strict mode: an unknown field is an error.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from cli.main import app
from cli.settings import Settings
from runtime.configuration import variables
from tools.errors import BadChart, ToolError
from tools.helm import program
from tools.helm.judging import findings
from tools.terraform.isolated import program as isolated

KUBERNETES = ("1.30", "1.37")
VALIDATOR = "kubernetes-validate"


def main() -> int:
    """The exit code."""
    try:
        helm = program.find() or program.build()
        found = list(_found(helm))
        if found:
            raise BadChart(*found)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def command_names() -> set[str]:
    """The names that may follow `catalogizer`."""
    commands = {str(one.name or getattr(one.callback, "__name__", "")) for one in app.registered_commands}
    return commands | {str(group.name) for group in app.registered_groups}


def _found(helm: Path) -> Iterator[str]:
    for file in program.values():
        linted = program.run(
            helm,
            "lint",
            "--strict",
            "--kube-version",
            program.KUBERNETES,
            str(program.CHART),
            "--values",
            str(file),
        )
        if linted.returncode != 0:
            yield f"{file.name}: {linted.stdout.strip()}"
        manifests = program.rendered(helm, file)
        yield from (f"{file.name}: {why}" for why in findings(manifests, variables(Settings), command_names()))
        yield from _invalid(manifests, file.name)
        print(f"{file.name}: {len(manifests)} manifests, valid for Kubernetes {', '.join(KUBERNETES)}")


def _invalid(manifests: list[program.Manifest], name: str) -> Iterator[str]:
    validator = str(isolated(VALIDATOR, VALIDATOR))
    with tempfile.TemporaryDirectory(prefix="catalogizer-helm-") as folder:
        file = Path(folder) / name
        file.write_text(yaml.safe_dump_all(manifests))
        for version in KUBERNETES:
            done = subprocess.run(
                [validator, "--kubernetes-version", version, "--strict", str(file)],
                capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            if done.returncode != 0:
                yield f"{name}, Kubernetes {version}: {(done.stdout + done.stderr).strip()}"


if __name__ == "__main__":
    sys.exit(main())
