"""The command line without any server: help that teaches, faults in one line, exit codes, secrets unseen."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from typer.testing import CliRunner

from cli.config_values import settings_of
from cli.console import run_to_exit
from cli.errors import BadArgument, NotRunning
from cli.installation import with_running
from cli.main import app
from cli.settings import Settings
from cli.up.run_file import RunFile
from runtime.configuration import PREFIX, load, variables
from runtime.errors import SettingsError
from runtime.health import product_version

ROOT = Path(__file__).parents[3]
COMMANDS = [
    "up", "watch", "stream", "project", "serve", "tap", "changes", "audit", "migrate", "version",
    "topics plan", "topics apply",
    "status", "topics list", "topics acls", "roots list", "roots retire", "roots rescan", "roots accept",
    "replay project", "replay fold", "dlq list", "dlq show", "dlq redrive", "dlq discard",
    "config print", "config check", "user add", "user list", "user password", "user disable", "user enable",
    "user role", "user rights", "user sessions", "user end-session", "user admin",
    "token add", "token list", "token revoke",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Runs a command with these settings and no others."""

    def __call__(self, *arguments: str, **environment: str) -> Result: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CATALOGIZER_STATE_DIR", str(tmp_path / "absent"))
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    os.umask(umask := os.umask(0))

    def run(*arguments: str, **environment: str) -> Result:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        try:
            code = run_to_exit(lambda: app(list(arguments)))
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            logging.getLogger().handlers[:] = handlers
            logging.getLogger().setLevel(level)
            os.umask(umask)
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run


def shown(*arguments: str) -> str:
    """What `--help` of a command prints."""
    result = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    assert result.exit_code == 0
    return result.output


def test_the_version_is_a_command_and_an_option(run: Run) -> None:
    assert run("--version") == run("version") == Result(0, f"{product_version()}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_with_an_example(command: str) -> None:
    assert command in ("version", "topics list") or f"catalogizer {command}" in shown(*command.split())


def test_the_command_without_arguments_shows_every_command() -> None:
    assert {command.split()[0] for command in COMMANDS} <= set(re.findall(r"│ (\w+)", shown()))


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("tap", "media_updates"), 1, "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS"),
        (("tap", "x", "--from", "nowhere"), 2, "no place in a log"),
        (("tap", "x", "--follow", "--until", "head"), 2, "--follow"),
        (("replay", "project"), 2, "exactly one of"),
        (("audit",), 1, "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS"),
        (("changes", "--since", "yesterday"), 2, "--since: 'yesterday' is no place in a log"),
        (("changes", "-0"), 2, "-0: is for what was lost: add --lost"),
        (("user", "list"), 1, "no database to talk to: set CATALOGIZER_DATABASE__URL"),
        (("user", "add", "an na"), 2, "name: printable characters without spaces and without @"),
        (("user", "add", "anna", "--email", "x"), 2, "email: name@host"),
        (("user", "add", "anna", "--generate", "--password-stdin"), 2, "one of them at most"),
        (("user", "add", "anna", "--password-file", "/nonexistent"), 1, "/nonexistent"),
        *(((service,), 2, "kafka.bootstrap_servers") for service in ("watch", "stream", "project", "serve")),
    ],
)
def test_a_fault_is_one_line_and_an_exit_code(arguments: tuple[str, ...], code: int, says: str, run: Run) -> None:
    result = run(*arguments)
    assert result.code == code
    assert says in result.err
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert not Path(os.environ["CATALOGIZER_STATE_DIR"]).exists(), "nothing was begun"


@pytest.mark.parametrize("command", ["topics plan", "audit", "changes --lost"])
def test_a_broker_that_is_not_there_is_one_line(command: str, run: Run) -> None:
    result = run(*command.split(), CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert result.err.startswith("error: cannot reach Kafka")


def test_every_wrong_setting_is_named_at_once(run: Run) -> None:
    result = run("config", "check", CATALOGIZER_GATEWAY__PORT="0", CATALOGIZER_KAFKA__LANE="4")
    assert result.code == 2
    assert "CATALOGIZER_KAFKA__LANE: no such setting; did you mean CATALOGIZER_KAFKA__LANES?" in result.err
    assert "gateway.port (CATALOGIZER_GATEWAY__PORT)" in result.err
    assert all(fault.startswith("error: ") for fault in result.err.splitlines())


EXAMPLE = '[{"name":"movies","library":"home","path":"/media/movies"}]'


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("/media", "'/media' is not a JSON list"),
        ("[{'name':'a'}]", "is not a JSON list"),
        ('["/media"]', "producer.roots.0 ("),
        ('{"name":"a"}', "producer.roots ("),
        ('[{"name":"a","path":"/media"}]', "producer.roots.0.library ("),
        ('[{"name":"a","library":"x","path":"media"}]', "must be absolute"),
        ('[{"name":"a b","library":"x","path":"/media"}]', "got 'a b'"),
    ],
)
def test_roots_in_a_wrong_form_are_answered_with_the_right_one(run: Run, given: str, fault: str) -> None:
    result = run("config", "check", CATALOGIZER_PRODUCER__ROOTS=given)
    assert result.code == 2
    assert "CATALOGIZER_PRODUCER__ROOTS" in result.err
    assert fault in result.err
    assert all(line.endswith(f"for example {EXAMPLE}") for line in result.err.splitlines())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CATALOGIZER_DATABASE__URL", "postgresql+psycopg://u:canary@h/d"),
        ("CATALOGIZER_DATABASE__URL", "postgresql://u:canary%zz@h/d"),
        ("CATALOGIZER_DATABASE__URL", "canary"),
        ("CATALOGIZER_GATEWAY__TOKEN_SECRE", "canary"),
        ("CATALOGIZER_PRODUCER__ROOTS", '[{"name":"a","library":"x","path":"/media","passwort":"canary"}]'),
    ],
)
def test_a_fault_in_a_setting_never_shows_a_secret(run: Run, variable: str, value: str) -> None:
    result = run("config", "check", **{variable: value})
    assert result.code == 2
    assert "canary" not in result.out + result.err


def test_a_misspelt_secret_in_the_file_is_not_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[gateway]\ntoken_secre = "canary"\n')
    result = run("config", "check", CATALOGIZER_CONFIG_FILE=str(tmp_path / "c.toml"))
    assert result.code == 2
    assert "token_secre" in result.err
    assert "canary" not in result.err


def test_valid_settings_are_reported_as_valid(run: Run) -> None:
    assert json.loads(run("config", "check", "--json").out) == {"ok": True}


def test_printed_settings_are_all_settings_without_a_secret(run: Run) -> None:
    canary = "canary-0123456789-0123456789-0123456789"
    result = run(
        "config", "print", "--json",
        CATALOGIZER_ADMIN_PASSWORD=canary,
        CATALOGIZER_DATABASE__URL=f"postgresql://u:{canary}@h/d",
        CATALOGIZER_GATEWAY__TOKEN_SECRET=canary,
    )  # fmt: skip
    printed = json.loads(result.out)
    assert [setting["variable"] for setting in printed] == list(variables(Settings))
    assert canary not in result.out + result.err


def test_a_setting_shows_where_it_came_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    (tmp_path / "c.toml").write_text("[gateway]\nring_seconds = 7\n")
    (tmp_path / "password").write_text("0123456789\n")
    monkeypatch.setenv("CATALOGIZER_CONFIG_FILE", str(tmp_path / "c.toml"))
    monkeypatch.setenv("CATALOGIZER_GATEWAY__PORT", "9000")
    monkeypatch.setenv("CATALOGIZER_ADMIN_PASSWORD_FILE", str(tmp_path / "password"))
    sources = {setting.key: (setting.value, setting.source) for setting in settings_of(load(Settings), os.environ)}
    assert sources["gateway.port"] == ("9000", "environment")
    assert sources["gateway.ring_seconds"] == ("7", "configuration file")
    assert sources["admin_password"] == ("[set, not shown]", "secret file")
    assert sources["gateway.host"] == ("127.0.0.1", "default")


RUNNING = RunFile(
    url="u", ws_url="w", admin_user="admin", admin_password_file="p", bootstrap_servers="127.0.0.1:5",
    database_url="postgresql://h/d", library={}, pids={},
    kafka_secret_file=None,
)  # fmt: skip


def test_a_running_platform_fills_in_what_the_settings_leave_open() -> None:
    found = with_running(Settings(), RUNNING)
    assert (found.kafka.bootstrap_servers, found.kafka.lane_count, found.database.dsn()) == (
        "127.0.0.1:5", 4, "postgresql://h/d",
    )  # fmt: skip


def test_a_running_platform_changes_nothing_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS", "k:9092")
    monkeypatch.setenv("CATALOGIZER_DATABASE__URL", "postgresql://other/d")
    settings = Settings()
    assert with_running(settings, RUNNING) == settings


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError(("a", "b")), 2),
        (BadArgument("--x", "y"), 2),
        (NotRunning("z"), 1),
        (OSError("disk full"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_become_exit_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise error

    assert run_to_exit(command) == code
    assert "Traceback" not in capsys.readouterr().err


def test_a_fault_of_the_program_is_not_hidden() -> None:
    def command() -> None:
        raise AssertionError("bug")

    with pytest.raises(AssertionError, match="bug"):
        run_to_exit(command)


def test_help_costs_no_service(run: Run) -> None:
    probe = (
        "import sys, cli.main; heavy = {'aiokafka', 'faust', 'fastapi', 'psycopg', 'aiohttp'} & set(sys.modules);"
        " sys.exit(', '.join(heavy) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
