"""A service under `up` reads the very settings that were given to `up`, with what was left open filled in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.provisioning.database_roles import PROJECT
from cli.settings import Settings
from cli.up.embedded.access import Access
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from cli.up.platform import Platform
from cli.up.state import StateFolder
from cli.up.supervision.program import environment_for
from gateway.access.tokens import check_secret
from producer.settings import RootSpec
from runtime.configuration import load
from schemas.acls import COMPONENTS
from schemas.topics import EMBEDDED_LANES

ROOT = RootSpec(name="films", library="home", path=Path("/media/films"), exclude=("*.tmp",), debounce_ms=300)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    state = StateFolder(tmp_path)
    kafka = EmbeddedKafka(state.kafka, 20_001, (tmp_path / "x.jar",))
    return Platform(Settings(), state, kafka, EmbeddedPostgres(state.postgres, 20_002), (ROOT,))


def test_every_service_is_run_once(platform: Platform) -> None:
    assert tuple(plan.name for plan in platform.services()) == COMPONENTS
    assert [plan.name for plan in platform.servers()] == ["kafka", "postgres"]


def test_a_service_reads_broker_database_roots_and_lanes(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in platform.environment("project").items():
        monkeypatch.setenv(variable, value)
    settings = load(Settings)
    assert settings.state_dir == platform.state.folder
    assert settings.kafka.bootstrap_servers == "127.0.0.1:20001"
    assert settings.kafka.lane_count == EMBEDDED_LANES
    assert settings.kafka.replication_factor == 1
    assert platform.postgres is not None
    assert settings.database.dsn() == platform.postgres.role_url(PROJECT) != platform.database_url
    assert settings.producer.roots == (ROOT,)
    assert settings.streams.analysis.roots == {"films": Path("/media/films")}


def test_an_address_to_listen_everywhere_is_shown_as_one_to_connect_to(platform: Platform) -> None:
    gateway = platform.settings.gateway.model_copy(update={"host": "0.0.0.0", "port": 8123})
    everywhere = Platform(
        platform.settings.model_copy(update={"gateway": gateway}),
        platform.state,
        platform.kafka,
        platform.postgres,
        platform.roots,
    )
    run = everywhere.run_file({"serve": 7})
    assert (run.url, run.ws_url) == ("http://127.0.0.1:8123", "ws://127.0.0.1:8123/ws")
    assert run.pids == {"serve": 7}


def test_a_service_is_given_the_secrets_it_needs_and_no_others(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {
        "CATALOGIZER_ADMIN_PASSWORD": "canary-admin",
        "CATALOGIZER_GATEWAY__TOKEN_SECRET": "canary-token",
        "CATALOGIZER_DATABASE__URL_FILE": "/canary-database",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    configured = platform.settings.gateway.model_copy(update={"token_secret": SecretStr("canary-token")})
    platform = replace(platform, settings=platform.settings.model_copy(update={"gateway": configured}))
    given = {service: set(platform.environment(service)) for service in COMPONENTS}
    url = "CATALOGIZER_DATABASE__URL"
    assert {service for service in COMPONENTS if url in given[service]} == {"project", "serve"}
    assert {service for service in COMPONENTS if "CATALOGIZER_GATEWAY__TOKEN_SECRET" in given[service]} == {
        "serve"
    }
    assert not any({"CATALOGIZER_ADMIN_PASSWORD", url + "_FILE"} & given[service] for service in COMPONENTS)


def test_files_of_a_database_of_one_s_own_are_passed_on_to_be_read_again(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text("postgresql://u@h/d")
    (tmp_path / "password").write_text("canary-database")
    files = {
        "CATALOGIZER_DATABASE__URL_FILE": str(tmp_path / "url"),
        "CATALOGIZER_DATABASE__PASSWORD_FILE": str(tmp_path / "password"),
    }
    for name, value in files.items():
        monkeypatch.setenv(name, value)
    platform = replace(platform, settings=load(Settings), postgres=None)
    assert platform.database_url == "postgresql://u@h/d?password=canary-database"
    for service in COMPONENTS:
        given = platform.environment(service)
        assert {name: given.get(name) for name in files} == (
            files if service in ("project", "serve") else dict.fromkeys(files)
        )
        assert "canary-database" not in "".join(given.values())


def test_with_the_embedded_broker_serve_is_given_a_token_secret_that_is_kept(platform: Platform) -> None:
    name = "CATALOGIZER_GATEWAY__TOKEN_SECRET_FILE"
    file = Path(platform.environment("serve")[name])
    kept = file.read_text()
    check_secret(kept.strip())
    assert file.stat().st_mode & 0o777 == 0o600
    assert platform.environment("serve")[name] == str(file)
    assert file.read_text() == kept
    assert not any(name in platform.environment(service) for service in COMPONENTS if service != "serve")
    own = replace(platform, kafka=None)
    assert name not in own.environment("serve")


def test_a_setting_that_is_no_secret_is_handed_on(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGIZER_STREAMS__ANALYSIS__WORKERS", "3")
    monkeypatch.setenv("CATALOGIZER_CONFIG_FILE", "/etc/catalogizer.toml")
    given = platform.environment("stream")
    assert given["CATALOGIZER_STREAMS__ANALYSIS__WORKERS"] == "3"
    assert given["CATALOGIZER_CONFIG_FILE"] == "/etc/catalogizer.toml"


def test_each_service_signs_in_to_an_embedded_broker_under_its_own_name(
    platform: Platform, tmp_path: Path
) -> None:
    assert platform.kafka is not None
    platform.kafka.access = Access(tmp_path / "secrets")
    for service in COMPONENTS:
        given = platform.environment(service)
        assert given["CATALOGIZER_KAFKA__SASL_USERNAME"] == f"catalogizer-{service}"
        assert given["CATALOGIZER_KAFKA__SASL_PASSWORD_FILE"] == str(
            tmp_path / "secrets" / f"catalogizer-{service}"
        )


def test_servers_are_given_no_setting_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGIZER_ADMIN_PASSWORD", "canary-admin")
    assert environment_for({"A": "b"}).get("A") == "b"
    assert not any(name.startswith("CATALOGIZER_") for name in environment_for({}))


@pytest.mark.parametrize(
    ("host", "url"),
    [("::", "http://[::1]:8123"), ("fd00::7", "http://[fd00::7]:8123"), ("nas", "http://nas:8123")],
)
def test_addresses_are_written_as_in_urls(platform: Platform, host: str, url: str) -> None:
    gateway = platform.settings.gateway.model_copy(update={"host": host, "port": 8123})
    settings = platform.settings.model_copy(update={"gateway": gateway})
    assert replace(platform, settings=settings).run_file({}).url == url
