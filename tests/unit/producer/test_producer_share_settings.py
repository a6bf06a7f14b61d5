"""A root on a share in the settings: nothing shows its password."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cli.config_values import settings_of
from cli.declaring import declare, spec_of
from cli.settings import Settings
from producer.declared import Declared, declared
from producer.settings import RootSpec
from runtime.configuration import load
from runtime.errors import SettingsError
from runtime.root_files import RootFiles

NAS: dict[str, Any] = {
    "name": "films", "library": "home", "protocol": "smb", "host": "nas", "share": "media", "user": "reader",
    "password": "canary",
}  # fmt: skip
ROOTS = "CATALOGIZER_PRODUCER__ROOTS"


def test_a_deletion_waits_longer_for_its_rename_on_a_share_unless_that_is_configured() -> None:
    local = RootSpec(name="films", library="home", path=Path("/srv/films"))
    windows = [RootSpec.model_validate(given).rename_window_ms for given in (NAS, NAS | {"rename_window_ms": 500})]
    assert [local.rename_window_ms, *windows] == [2_000, 10_000, 500]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"protocol": "local"}, "path of root 'films' is missing"),
        ({"protocol": "local", "path": "/srv"}, "host is for roots with protocol smb"),
        ({"password": None}, "password_file, or password, is missing"),
        ({"path": "../elsewhere"}, "path leads out of the share"),
        ({"host": None}, "host"),
        ({"watch": "polling"}, "watch is for local roots"),
    ],
)
def test_what_is_no_root_is_rejected_with_a_reason(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RootSpec.model_validate(NAS | given)
    faults = [f"{error['loc']} {error['msg']}" for error in refused.value.errors()]
    assert fault in " ".join(faults)


@pytest.mark.parametrize("value", [json.dumps([NAS | {"share": "a/b"}]), json.dumps(NAS), "[" + json.dumps(NAS)])
def test_no_error_of_settings_shows_a_password(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(ROOTS, value)
    with pytest.raises(SettingsError) as refused:
        load(Settings)
    assert "canary" not in str(refused.value)


def test_no_printed_setting_shows_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = {"films": {name: NAS[name] for name in ("host", "share", "user", "password")}}
    given = {ROOTS: json.dumps([NAS]), "CATALOGIZER_STREAMS__ANALYSIS__SHARES": json.dumps(shares)}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert "canary" not in str(settings_of(load(Settings), given))


def test_two_folders_of_a_share_are_two_roots_and_one_inside_the_other_is_none() -> None:
    one, other, inner = (
        RootSpec.model_validate(NAS | {"name": name, "path": path})
        for name, path in (("a", "Films"), ("b", "Music"), ("c", "FILMS/New"))
    )
    assert declared([one, other], {}).faults == ()
    assert len(declared([one, inner], {}).faults) == 1


def test_a_share_is_declared_in_one_line_and_read_as_it_was_declared(tmp_path: Path) -> None:
    given = {
        "library": "home",
        "user": "reader",
        "password_file": Path("/run/nas"),
        "domain": None,
        "encryption": None,
    }
    spec = spec_of("films", Path("//nas:1445/media/Films/New"), given)
    declare(spec, Declared({}), tmp_path, replace=False)
    (read,) = declared([], RootFiles(tmp_path).read()).specs.values()
    assert read.location == "//nas:1445/media/Films/New" == spec.location
    assert (read.share_address, read.rename_window_ms) == (spec.share_address, 10_000)
