"""Where analysis finds a root's files: by its own settings, or by the file that declares the root."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.root_files import write
from storage.share import Share
from streams.main import place_of
from streams.settings import AnalysisSettings, StreamsSettings

SHARE = {"host": "nas", "share": "media", "user": "reader", "password_file": "/run/secrets/nas"}


@pytest.fixture
def settings(tmp_path: Path) -> StreamsSettings:
    write(tmp_path, "films", {"path": "/srv/films"})
    write(tmp_path, "half", {"path": 7})
    write(tmp_path, "nas", {"protocol": "smb", "library": "home", "path": "Films", **SHARE})
    write(tmp_path, "nobody", {"protocol": "smb", "host": "nas"})
    analysis = AnalysisSettings(
        roots={"music": Path("/srv/music")}, shares={"books": Share.model_validate(SHARE)}, roots_folder=tmp_path
    )
    return StreamsSettings(analysis=analysis)


@pytest.mark.parametrize(
    ("root", "place"),
    [
        ("films", Path("/srv/films")), ("music", Path("/srv/music")), ("half", None), ("none", None), ("nobody", None),
        ("books", Share.model_validate(SHARE)), ("nas", Share.model_validate({**SHARE, "path": "Films"})),
    ],
)  # fmt: skip
def test_a_roots_place_is_a_folder_or_a_share(
    settings: StreamsSettings, root: str, place: Path | Share | None
) -> None:
    assert place_of(settings, root) == place
