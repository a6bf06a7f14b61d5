"""Finds or builds Helm on this machine, and renders the chart."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tools import ROOT
from tools.errors import NoHelm

CHART = ROOT / "infra" / "helm" / "catalogizer"
MODULE = "helm.sh/helm/v3/cmd/helm@v3.22.0"
RELEASE = "test"
KUBERNETES = "1.30"
"""The version to render for: a Helm built from Go's modules assumes 1.20."""
LONGEST_SECONDS = 120
BUILD_SECONDS = 1_800

Manifest = dict[str, Any]


def cached() -> Path:
    """The path of a Helm that was built here."""
    base = os.environ.get("XDG_CACHE_HOME")
    version = MODULE.rpartition("@")[2]
    return (Path(base) if base else Path.home() / ".cache") / "catalogizer" / "tools" / f"helm-{version}" / "helm"


def find() -> Path | None:
    """The machine's Helm, or one that was built here."""
    found = shutil.which("helm")
    if found:
        return Path(found)
    return cached() if cached().exists() else None


def build() -> Path:
    """Build it with Go, from Go's modules; takes minutes the first time. Raises NoHelm."""
    go = shutil.which("go")
    if go is None:
        raise NoHelm("neither helm nor go, which would build it, is installed")
    folder = cached().parent
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"GOBIN": str(folder), "CGO_ENABLED": "0"}
    built = subprocess.run(
        [go, "install", MODULE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if built.returncode != 0:
        raise NoHelm(f"go install {MODULE}: {built.stderr.strip()[-500:]}")
    return cached()


def values() -> list[Path]:
    """The chart's examples of values."""
    return sorted((CHART / "ci").glob("*-values.yaml"))


def run(helm: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Helm without access to any cluster."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KUBECONFIG": os.devnull}
    return subprocess.run(
        [str(helm), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )


def rendered(helm: Path, file: Path) -> list[Manifest]:
    """The chart rendered with these values. Raises NoHelm if Helm fails."""
    done = run(helm, "template", RELEASE, str(CHART), "--kube-version", KUBERNETES, "--values", str(file))
    if done.returncode != 0:
        raise NoHelm(f"{file.name}: {done.stderr.strip()}")
    return [one for one in yaml.safe_load_all(done.stdout) if one is not None]
