"""Whatever way a setting is wrong, no word about it has a secret in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from cli.settings import Settings
from runtime.configuration import load
from runtime.errors import SettingsError

SECRET = "S3CR3Tx"

VARIABLES = {
    "another scheme": ("DATABASE__URL", "postgresql+psycopg://u:{}@h/d"),
    "a percent sign": ("DATABASE__URL", "postgresql://u:{}%@h/d"),
    "an at sign": ("DATABASE__URL", "postgresql://u:a@{}@h/d"),
    "a slash after it": ("DATABASE__URL", "postgresql://u:{}/x@h/d"),
    "a slash before it": ("DATABASE__URL", "postgresql://u:12/{}@h/d"),
    "in the port's place": ("DATABASE__URL", "postgresql://u@h:{}/d"),
    "key and value": ("DATABASE__URL", "host=h password={}"),
    "a misspelt name": ("DATABASE__URLL", "postgresql://u:{}@h/d"),
    "another misspelt name": ("GATEWAY__TOKEN_SECRE", "{}"),
    "a section's name": ("DATABASE", "postgresql://u:{}@h/d"),
    "a section of JSON": ("KAFKA", '{{"sasl.passwor": "{}"}}'),
    "a user in an address": ("GATEWAY__PUBLIC_URL", "https://u:{}@h"),
    "a user in an origin": ("GATEWAY__ALLOWED_ORIGINS", '["https://u:{}@h"]'),
    "a user of a broker": ("KAFKA__BOOTSTRAP_SERVERS", "u:{}@h:9092"),
}

TOML = {
    "a section's name": 'database = "postgresql://u:{}@h/d"',
    "a list for a section": 'kafka = ["{}"]',
    "a misspelt name": '[gateway]\ntoken_secre = "{}"',
    "a misspelt section": 'database_url = "postgresql://u:{}@h/d"',
    "a list": '[database]\nurl = ["{}"]',
    "a table": '[gateway.token_secret]\nvalue = "{}"',
    "no quotes": "[gateway]\ntoken_secret = {}",
    "one quote": '[gateway]\ntoken_secret = "{}',
    "in a list": '[producer]\nroots = [{{name="m", library="h", path="/x", password="{}"}}]',
    "Kafka's own name": '[kafka]\n"sasl.passwrd" = "{}"',
}


@pytest.mark.parametrize("fault", VARIABLES)
def test_of_a_variable(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    name, value = VARIABLES[fault]
    monkeypatch.setenv(f"CATALOGIZER_{name}", value.format(SECRET))
    with pytest.raises(SettingsError, match="CATALOGIZER_") as refused:
        load(Settings)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("fault", TOML)
def test_of_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str) -> None:
    file = tmp_path / "catalogizer.toml"
    file.write_text(TOML[fault].format(SECRET))
    monkeypatch.setenv("CATALOGIZER_CONFIG_FILE", str(file))
    with pytest.raises(SettingsError) as refused:
        load(Settings)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40ss%2Fw@h:5432/d",
        "postgres://u:p:a?s#s@h/d?sslmode=require",
        "postgresql://u@h1:5432,h2:5432/d?target_session_attrs=read-write",
        "postgresql://[::1]:5432/d",
        "postgresql:///d?host=/run/postgresql",
        "postgresql://%2Frun%2Fpostgresql/d",
        "postgresql://h/d?application_name=a@b",
    ],
)
def test_an_address_as_postgresql_reads_it_is_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CATALOGIZER_DATABASE__URL", url)
    assert load(Settings).database.dsn() == url
    monkeypatch.setenv("CATALOGIZER_DATABASE__PASSWORD", "a/b@c?d&e%f g")
    assert conninfo_to_dict(load(Settings).database.dsn()) == conninfo_to_dict(url) | {"password": "a/b@c?d&e%f g"}


def test_a_password_without_a_server_of_one_s_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGIZER_DATABASE__PASSWORD", SECRET)
    with pytest.raises(SettingsError, match="no url") as refused:
        load(Settings)
    assert SECRET not in str(refused.value)
