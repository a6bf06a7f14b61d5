"""Where CI runs, properties are tried on the same examples each time."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.support.lane import Lane

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture
def lane() -> Lane:
    """A lane with one declared root, `films`."""
    lane = Lane()
    lane.declare()
    return lane
