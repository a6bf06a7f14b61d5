"""infra/terraform against Terraform itself and against the program: what it makes is what the modules say, and what it
starts is what the program takes.

Needs `terraform` and the AWS provider on the machine; the skip says what was looked for where.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.settings import Settings
from runtime.configuration import PREFIX, load, variables
from runtime.kafka_security import tokens_for
from schemas.acls import acls
from schemas.topics import ALL_TOPICS
from tools import ROOT
from tools.deployments import passed
from tools.terraform import FOLDER, pages, table
from tools.terraform.provider import Missing, find
from tools.terraform.workspace import Workspace, prepare

HERE = ("kafka", "secrets-and-rights")
"""Terraform's own tests that the suite has time for, beside `WHOLE`; all of them are
`python -m tools.terraform test`."""

WHOLE = ("basic", "alerts")
"""Those whose containers are compared with the program."""

VALUES = {"CATALOGIZER_GATEWAY__OIDC": "[]", "CATALOGIZER_ALERTS__WEBHOOK_URL": "https://alerts.example.org/x"}
"""What stands in a secret whose setting is not a word."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    found = find()
    if isinstance(found, Missing):
        pytest.skip(f"infra/terraform is not tested: {found}")
    prepared = prepare(found, tmp_path_factory.mktemp("terraform"))
    assert prepared.run("get", "-no-color").returncode == 0
    return prepared


@pytest.fixture(scope="module")
def tested(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    """What `terraform test` said, by file."""
    filters = [f"-filter=tests/{name}.tftest.hcl" for name in HERE]
    whole = [f"-filter=tests/{name}.tftest.hcl" for name in WHOLE]
    return said(workspace, *filters) | said(workspace, "-verbose", *whole)


def said(workspace: Workspace, *arguments: str) -> dict[str, list[dict[str, Any]]]:
    by_file: dict[str, list[dict[str, Any]]] = {}
    for line in workspace.run("test", "-json", *arguments).stdout.splitlines():
        message = json.loads(line)
        if "@testfile" in message:
            name = Path(message["@testfile"]).name.removesuffix(".tftest.hcl")
            by_file.setdefault(name, []).append(message)
    return by_file


@pytest.fixture(scope="module")
def containers(tested: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """The containers of the wholes, by test and task."""
    found: dict[str, dict[str, Any]] = {}
    for name in WHOLE:
        states = [message for message in tested[name] if message["type"] == "test_state"]
        tasks = states[0]["test_state"]["outputs"]["containers"]["value"].items()
        found |= {f"{name}: {task}": container for task, container in tasks}
    return found


def files_of(container: dict[str, Any]) -> dict[str, str]:
    """By variable, the files that the program's own module writes from secrets before it starts."""
    start = container.get("entryPoint") or []
    assert start[:3] == ["python", "-m", "cli.from_environment"][: len(start)]
    return dict(pair.split("=", 1) for pair in start[3:-1])


def test_it_is_formatted(workspace: Workspace) -> None:
    assert workspace.run("fmt", "-check", "-recursive").stdout == ""


@pytest.mark.parametrize("name", (*WHOLE, *HERE))
def test_terraform_s_own_tests_hold(name: str, tested: dict[str, list[dict[str, Any]]]) -> None:
    runs = {
        message["@testrun"]: message["test_run"]["status"]
        for message in tested[name]
        if message["type"] == "test_run" and message["test_run"]["progress"] == "complete"
    }
    faults = [message["diagnostic"]["summary"] for message in tested[name] if message["type"] == "diagnostic"]
    assert runs
    assert {run: status for run, status in runs.items() if status != "pass"} == {}, faults


def test_every_task_starts_a_command_of_the_program(containers: dict[str, dict[str, Any]]) -> None:
    for task, container in containers.items():
        result = CliRunner().invoke(app, [*container["command"], "--help"])
        assert result.exit_code == 0, (task, result.output)


def test_every_variable_is_a_setting_and_holds(
    containers: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in [variable for variable in os.environ if variable.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    for task, container in containers.items():
        with monkeypatch.context() as environment:
            given = {entry["name"]: entry["value"] for entry in container["environment"]}
            files = files_of(container)
            secrets = [entry["name"] for entry in container["secrets"]]
            assert files.keys() <= set(secrets), task
            fetched = [name for name in secrets if name != "PGPASSWORD" and name not in files]
            paths = {value for variable, value in given.items() if variable.endswith("FILE") and "/tmp/" in value}
            assert paths == set(files.values()), task
            for variable in (*given, *fetched):
                assert variable in variables(Settings), (task, variable)
                environment.setenv(variable, given.get(variable, VALUES.get(variable, "0123456789abcdef" * 4)))
            settings = load(Settings)
        assert settings.log.format == "json"
        assert ("PGPASSWORD" in {entry["name"] for entry in container["secrets"]}) == (
            settings.database.url is not None
        )


def test_the_alerts_that_are_set_reach_the_stream_worker_s_settings(
    containers: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in [variable for variable in os.environ if variable.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    container = containers["alerts: stream"]
    for entry in container["environment"]:
        monkeypatch.setenv(entry["name"], entry["value"])
    for entry in container["secrets"]:
        if entry["name"].startswith(PREFIX):
            monkeypatch.setenv(entry["name"], VALUES.get(entry["name"], "0123456789abcdef"))
    settings = load(Settings)
    alerts, kafka = settings.alerts, settings.kafka
    assert (alerts.kinds, alerts.mail_to) == (("root_lost", "disk_low"), ("ops@example.org",))
    assert (alerts.cafile, alerts.mass_deletion_count) == (Path("/tmp/alerts-ca.pem"), 100)
    assert kafka.sasl_oauthbearer_client_id == "catalogizer-stream"
    assert kafka.sasl_oauthbearer_client_secret is not None and kafka.sasl_password is None
    assert tokens_for(kafka) is not None


def test_every_setting_can_be_passed_or_there_is_a_reason() -> None:
    given = passed("terraform")
    alerts = (ROOT / FOLDER / "alerts.tf").read_text()
    named = {f"CATALOGIZER_ALERTS__{name}" for name in re.findall(r"^ +([A-Z_]+) += ", alerts, re.M)}
    of_alerts = {name.removesuffix("_FILE") for name in given if name.startswith("CATALOGIZER_ALERTS__")}
    assert {name for name in named if name in variables(Settings)} == of_alerts
    secrets = {
        name.removesuffix("_FILE") for name, who in given.items() if who == "kafka" and name.endswith("_FILE")
    }
    main = (ROOT / FOLDER / "main.tf").read_text()
    assert secrets == set(re.findall(r'password = "(CATALOGIZER_KAFKA__[A-Z_]+)"', main))
    # the rest by maps, which take every setting of their processes
    assert {who for name, who in given.items() if "ALERTS__" not in name} == {
        "watch", "stream", "serve", "kafka", "every"
    }  # fmt: skip


def test_no_secret_stands_in_an_environment(containers: dict[str, dict[str, Any]]) -> None:
    for container in containers.values():
        names = {entry["name"] for entry in container["environment"]}
        assert {name for name in names if "PASSWORD" in name or "SECRET" in name} == set()
        assert all(entry["valueFrom"].startswith("arn:aws:secretsmanager:") for entry in container["secrets"])


def test_the_permissions_are_the_program_s_entry_by_entry() -> None:
    rights = table.rights()["components"]
    made = {
        (needs["principal"], resource, name, "prefixed" if name.endswith(".") else "literal", operation)
        for needs in rights.values()
        for key, resource, operation in (
            ("reads", "topic", "Read"), ("writes", "topic", "Write"), ("groups", "group", "Read"),
            ("transactions", "transactional-id", "Write"), ("describes", "topic", "Describe"),
            ("describes_groups", "group", "Describe"),
        )
        for name in needs[key]
    }  # fmt: skip
    assert made == {(acl.principal, acl.resource, acl.name, acl.pattern, acl.operation) for acl in acls()}


def test_the_topics_are_the_program_s() -> None:
    written = json.loads((ROOT / table.MODULE / "topics.json").read_text())
    assert written == {
        topic.name: {"partitions": topic.partitions, "config": topic.config()} for topic in ALL_TOPICS
    }


def test_every_variable_is_typed_described_and_checked() -> None:
    for folder in pages.folders(ROOT):
        declared = sum(file.read_text().count('\nvariable "') for file in folder.glob("variables.tf"))
        found = pages.blocks_of(folder, "variable")
        assert len(found) >= declared  # the first one of a file has no line before it
        for block in found:
            where = f"{folder.relative_to(ROOT / FOLDER)}: {block.labels[0]}"
            assert {"type", "description"} <= block.arguments.keys(), where
            assert block.arguments["type"] == "bool" or "validation {" in block.body, where


def test_every_output_is_described() -> None:
    for folder in pages.folders(ROOT):
        for block in pages.blocks_of(folder, "output"):
            assert block.arguments.get("description"), f"{folder}: {block.labels[0]}"


def test_a_skipped_finding_has_a_reason() -> None:
    skips = [
        line.strip()
        for file in (ROOT / FOLDER).rglob("*.tf")
        for line in file.read_text().splitlines()
        if "checkov:skip" in line
    ]
    assert skips
    assert [skip for skip in skips if len(skip.split(":", 2)[-1]) < 10] == []
