"""docker-compose.yml, resolved by the real compose parser, agrees with the design. No engine is needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app
from cli.settings import Settings
from runtime.configuration import PREFIX, load, variables
from tests.support.compose import compose, resolved

ROOT = Path(__file__).parents[2]
OBSERVABILITY = ROOT / "infra" / "observability"
ONE_SHOT = {"topics", "migrate", "admin"}
OURS = ONE_SHOT | {"watch", "stream", "project", "serve"}
NO_KAFKA = {"migrate", "admin"}
FOREIGN = {"kafka", "postgres"}
OBSERVING = {"prometheus", "grafana"}
ALL = sorted(OURS | FOREIGN | OBSERVING)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = resolved("observability")["services"]
    return found


def test_the_parser_accepts_it_with_the_example_settings() -> None:
    result = compose("--quiet")
    assert (result.returncode, result.stderr) == (0, "")


def test_without_settings_it_shows_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    result = compose("--quiet", env_file=tmp_path / "empty")
    assert result.returncode != 0
    assert ".env.example" in result.stderr


def test_it_runs_every_process_and_job(services: dict[str, Any]) -> None:
    assert services.keys() == OURS | FOREIGN | OBSERVING
    assert {name for name, service in services.items() if service.get("profiles")} == OBSERVING


@pytest.mark.parametrize("name", ALL)
def test_its_image_is_of_one_version(name: str, services: dict[str, Any]) -> None:
    if name not in OURS:  # ours is built here, and its tag is .env's
        assert re.search(r":v?\d", services[name]["image"])


@pytest.mark.parametrize("name", sorted(OURS))
def test_its_variables_are_settings_and_hold(
    name: str, services: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in [variable for variable in os.environ if variable.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    secret = tmp_path / "secret"
    secret.write_text("postgresql://catalogizer:0123456789@postgres/catalogizer-0123456789")
    for variable, value in services[name]["environment"].items():
        assert variable.removesuffix("_FILE") in variables(Settings)
        if value is not None:  # handed on where it is set
            monkeypatch.setenv(variable, str(secret) if variable.endswith("_FILE") else value)
    assert load(Settings).kafka.bootstrap_servers == (None if name in NO_KAFKA else "kafka:9092")


@pytest.mark.parametrize("name", sorted(OURS))
def test_its_command_exists(name: str, services: dict[str, Any]) -> None:
    result = CliRunner().invoke(app, [*services[name]["command"], "--help"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", ALL)
def test_it_has_no_more_rights_than_it_needs(name: str, services: dict[str, Any]) -> None:
    service = services[name]
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    # Kafka's image writes its configuration into its own folder when it starts.
    assert service.get("read_only", False) is (name != "kafka")


@pytest.mark.parametrize("name", ALL)
def test_it_is_bounded(name: str, services: dict[str, Any]) -> None:
    service = services[name]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert "stop_grace_period" in service


@pytest.mark.parametrize("name", ALL)
def test_it_is_watched_or_runs_once(name: str, services: dict[str, Any]) -> None:
    service = services[name]
    if name in ONE_SHOT:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"


def test_only_the_gateway_is_published_and_only_here(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert published.keys() == {"serve", "grafana"}, "grafana only where its profile is asked for"
    assert [port["host_ip"] for ports in published.values() for port in ports] == ["127.0.0.1", "127.0.0.1"]


def test_prometheus_scrapes_each_process_where_it_answers(services: dict[str, Any]) -> None:
    config = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert {target for group in job["static_configs"] for target in group["targets"]} == {
        f"{name}:8081" for name in OURS - ONE_SHOT
    }
    for name in OURS - ONE_SHOT:
        health = {v: w for v, w in services[name]["environment"].items() if "HEALTH__" in v}
        assert sorted(health.values()) == ["0.0.0.0", "8081"]


def test_what_prometheus_and_grafana_read_is_mounted_read_only(services: dict[str, Any]) -> None:
    mounts = {
        mount["target"]: mount
        for name in OBSERVING
        for mount in services[name]["volumes"]
        if mount["type"] == "bind"
    }
    assert all(mount["read_only"] and Path(mount["source"]).exists() for mount in mounts.values())
    config = Path(services["prometheus"]["command"][0].removeprefix("--config.file="))
    (rules,) = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())["rule_files"]
    assert {str(config), str(config.with_name(rules))} <= mounts.keys()
    provisioning = OBSERVABILITY / "grafana" / "provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "catalogizer.yml").read_text())["providers"]
    folder = Path(mounts[provider["options"]["path"]]["source"])
    assert [path.name for path in folder.iterdir()] == ["catalogizer.json"]
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"


def test_media_is_mounted_read_only(services: dict[str, Any]) -> None:
    mounts = [
        (name, mount["read_only"])
        for name, service in services.items()
        for mount in service.get("volumes", [])
        if mount["target"] == "/media"
    ]
    assert sorted(mounts) == [("stream", True), ("watch", True)]


def test_no_secret_stands_in_an_environment(services: dict[str, Any]) -> None:
    for service in services.values():
        for variable, value in service.get("environment", {}).items():
            secret = any(word in variable for word in ("PASSWORD", "SECRET", "DATABASE__URL"))
            assert not secret or (variable.endswith("_FILE") and value.startswith("/run/secrets/"))


def test_one_image_runs_all_of_ours(services: dict[str, Any]) -> None:
    assert len({services[name]["image"] for name in OURS}) == 1
    assert {services[name]["build"]["dockerfile"] for name in OURS} == {"Containerfile"}


def test_the_secrets_script_makes_each_once_and_keeps_them(tmp_path: Path) -> None:
    script = tmp_path / "make-secrets.sh"
    shutil.copy(ROOT / "infra" / "compose" / "make-secrets.sh", script)
    subprocess.run(["sh", str(script)], check=True, capture_output=True, timeout=30)
    folders = {
        path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir() if path.is_dir()
    }
    assert folders == dict.fromkeys(("watch", "stream", "serve", "kafka"), 0o755)
    added = tmp_path / "secrets" / "stream" / "webhook_url"
    added.write_text("https://alerts.example.org")
    files = {path: path.read_text() for path in (tmp_path / "secrets").rglob("*") if path.is_file()}
    subprocess.run(["sh", str(script)], check=True, capture_output=True, timeout=30)
    assert {path: path.read_text() for path in (tmp_path / "secrets").rglob("*") if path.is_file()} == files
    made = {path.name: text for path, text in files.items()}
    assert made["postgres_password"] in made["database_url"]
    assert len(made["token_secret"]) >= 32
