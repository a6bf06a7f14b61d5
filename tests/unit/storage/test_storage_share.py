"""The address of a share in the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from storage.errors import ShareFault
from storage.share import Share

GIVEN: dict[str, Any] = {"host": "nas", "share": "media", "user": "reader", "password": "canary"}


def share(**given: Any) -> Share:
    return Share.model_validate(GIVEN | given)


@pytest.mark.parametrize(
    ("given", "location"),
    [
        ({}, "//nas/media"),
        ({"path": "/Films/New/"}, "//nas/media/Films/New"),
        ({"path": "Films\\New"}, "//nas/media/Films/New"),
        ({"port": 1445, "path": "Films"}, "//nas:1445/media/Films"),
    ],
)
def test_a_location_is_written_as_people_write_it(given: dict[str, Any], location: str) -> None:
    assert share(**given).location == location


@pytest.mark.parametrize(
    "given",
    [
        {"path": "../other"}, {"share": "media/Films"}, {"host": "//nas"}, {"user": ""}, {"password": None},
        {"password_file": "/run/secrets/nas"}, {"encryption": "never"}, {"signing": False},
    ],
)  # fmt: skip
def test_what_is_no_share_is_refused_without_a_word_of_the_password(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        share(**given)
    assert "canary" not in "".join(fault["msg"] for fault in refused.value.errors())


def test_a_share_shows_no_password() -> None:
    assert "canary" not in repr(share()) + share().model_dump_json()


def test_a_passwords_file_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    there = share(password=None, password_file=str(file))
    for password in ("one", "another"):
        file.write_text(password + "\n")
        assert there.secret() == password


def test_a_passwords_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShareFault, match="No such file") as fault:
        share(password=None, password_file=str(tmp_path / "none")).secret()
    assert fault.value.cause == "refused"
