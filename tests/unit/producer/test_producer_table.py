"""Mapping of a root's protocol to its back-end."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from producer.backends.table import BACKENDS, backend_of
from producer.settings import RootSpec


def test_every_protocol_that_the_settings_admit_has_a_back_end(tmp_path: Path) -> None:
    assert set(get_args(RootSpec.model_fields["protocol"].annotation)) == set(BACKENDS)
    with backend_of(RootSpec(name="films", library="home", path=tmp_path)).open() as tree:
        assert tree.is_empty
