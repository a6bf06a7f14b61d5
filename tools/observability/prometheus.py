"""Runs a real Prometheus with the project's configuration in a folder, and queries it over HTTP."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from cli.up.ports import free_port
from tests.support.waiting import wait_until
from tools import ROOT
from tools.errors import PrometheusMissing

FOLDER = ROOT / "infra" / "observability"
SCRAPE = "1s"
READY_SECONDS = 60.0
END_SECONDS = 15.0


class Prometheus:
    """A running Prometheus; created by `running`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, text: str) -> list[Any]:
        """The samples of an instant query. Raises HTTPError if the query is invalid."""
        found: list[Any] = self._get("query", query=text)["result"]
        return found

    def targets(self) -> dict[str, str]:
        """The health of each target (`up`, or the error), by process."""
        return {
            target["labels"]["process"]: target["health"] if not target["lastError"] else target["lastError"]
            for target in self._get("targets")["activeTargets"]
        }

    def rules(self) -> dict[str, tuple[str, str]]:
        """Health and state of each alert (`ok`, `inactive`), by its name."""
        return {
            rule["name"]: (rule["health"], rule["state"])
            for group in self._get("rules")["groups"]
            for rule in group["rules"]
        }

    def is_ready(self) -> bool:
        """True if it answers."""
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False

    def _get(self, what: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._url}/api/v1/{what}?{query}", timeout=30) as answer:
            return json.load(answer)["data"]


@contextmanager
def running(folder: Path, addresses: Mapping[str, str]) -> Iterator[Prometheus]:
    """A Prometheus that scrapes these addresses, by process, every second, and keeps its data in `folder`. Raises
    PrometheusMissing, TimeoutError."""
    program = shutil.which("prometheus")
    if program is None:
        raise PrometheusMissing
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(_config(addresses)))
    arguments = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}")
    with (folder / "prometheus.log").open("wb") as output:
        process = subprocess.Popen(
            [program, *arguments, f"--web.listen-address=127.0.0.1:{port}"], stdout=output, stderr=output
        )
    try:
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        wait_until(prometheus.is_ready, READY_SECONDS, what="Prometheus to be ready")
        yield prometheus
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _config(addresses: Mapping[str, str]) -> dict[str, Any]:
    """The project's configuration, with these targets instead of compose's, and short intervals."""
    config: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": SCRAPE, "evaluation_interval": SCRAPE}
    config["rule_files"] = [str(FOLDER / name) for name in config["rule_files"]]
    (job,) = config["scrape_configs"]
    for group in job["static_configs"]:
        group["targets"] = [addresses[group["labels"]["process"]]]
    return config
