"""Finds Terraform and the AWS provider on this machine. Nothing is fetched: if they are missing, a check reports that.

The provider is searched in the mirrors of Terraform's configuration (`TF_CLI_CONFIG_FILE`, a `filesystem_mirror`), in
`TF_PLUGIN_CACHE_DIR`, in Terraform's default mirror folders, and in /opt/tf-plugins.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = "registry.terraform.io/hashicorp/aws"
_MIRROR = re.compile(r'filesystem_mirror\s*\{[^}]*path\s*=\s*"([^"]+)"')
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Found:
    """`terraform`: the program; `provider`: the folder with the provider's program; `version`: the provider's."""

    terraform: Path
    provider: Path
    version: str


@dataclass(frozen=True, slots=True)
class Missing:
    """`what` was not found in `places`."""

    what: str
    places: tuple[Path, ...]

    def __str__(self) -> str:
        return f"{self.what} is not on this machine; looked in {', '.join(map(str, self.places))}"


def find(environ: Mapping[str, str] = os.environ) -> Found | Missing:
    """Both, or what is missing."""
    program = shutil.which("terraform", path=environ.get("PATH"))
    if program is None:
        return Missing("terraform", tuple(map(Path, environ.get("PATH", "").split(os.pathsep))))
    places = tuple(dict.fromkeys(_places(environ)))
    for place in places:
        for folder in sorted((place / SOURCE).glob(f"*/{_platform()}"), reverse=True):
            if any(folder.glob("terraform-provider-aws*")):
                return Found(Path(program), folder.resolve(), folder.parent.name)
    return Missing("the AWS provider for Terraform", places)


def configuration(found: Found) -> str:
    """A CLI configuration that makes Terraform use this provider without a registry, so that no `init` is needed."""
    return f'provider_installation {{\n  dev_overrides {{\n    "hashicorp/aws" = "{found.provider}"\n  }}\n}}\n'


def _places(environ: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environ.get("HOME", "/nonexistent"))
    for file in (Path(environ.get("TF_CLI_CONFIG_FILE") or home / ".terraformrc"), home / ".terraformrc"):
        if file.is_file():
            yield from map(Path, _MIRROR.findall(file.read_text()))
    if cache := environ.get("TF_PLUGIN_CACHE_DIR"):
        yield Path(cache)
    yield home / ".terraform.d/plugins"
    yield home / ".local/share/terraform/plugins"
    yield Path("/usr/local/share/terraform/plugins")
    yield Path("/usr/share/terraform/plugins")
    yield Path("/opt/tf-plugins")


def _platform() -> str:
    machine = platform.machine()
    return f"linux_{_MACHINES.get(machine, machine)}"
