"""The examples in the documents are valid settings."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.access.oidc.provider_settings import ProviderSettings
from gateway.settings import GatewaySettings

ROOT = Path(__file__).parents[3]


def examples() -> list[str]:
    shown = re.findall(r"^```json\n(.*?)^```", (ROOT / "docs" / "security.md").read_text(), re.M | re.S)
    in_setting = GatewaySettings.model_fields["oidc"].examples or []
    return [*shown, *in_setting]


@pytest.mark.parametrize("text", examples())
def test_an_example_is_valid_once_its_secret_is_there(text: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("very hidden\n")
    for entry in json.loads(text):
        settings = ProviderSettings(**{**entry, "client_secret_file": secret})
        assert settings.secret == "very hidden"


def test_nothing_shows_a_secret() -> None:
    entry: dict[str, Any] = {
        "id": "a",
        "name": "A",
        "issuer": "https://a.example",
        "client_id": "a",
        "default": {},
    }
    assert "very hidden" not in repr(ProviderSettings(**entry, client_secret="very hidden"))
