"""The signed address of a cover is valid for one cover, one session and a short time."""

from __future__ import annotations

import pytest

from gateway.access.cover_names import PATH, STEP_SECONDS, CoverNames, SignedFor
from gateway.access.tokens import Identity

NAMES = CoverNames("8f2d6c1b9a7e4f3c8d5a6b7c0e1f2a3b")
HASH = "0" * 32
NOW = 1_800_000_000


def name(now: float = NOW, session: str = "s", expires: int = NOW + 3_600) -> str:
    return NAMES.signed(PATH + HASH, Identity(1, "bob", 2, session, expires), now).partition("?signed=")[2]


def test_it_is_valid_for_its_cover_and_session_for_a_quarter_to_half_an_hour() -> None:
    found = NAMES.read(HASH, name(), NOW)
    assert found is not None
    assert (found.session_id, found.user_id) == ("s", 1)
    ends = found.ends
    assert STEP_SECONDS <= ends - NOW <= 2 * STEP_SECONDS
    assert NAMES.read(HASH, name(), ends - 1) == found
    assert NAMES.read(HASH, name(), ends) is None
    assert NAMES.read("1" * 32, name(), NOW) is None


def test_it_does_not_outlive_the_token() -> None:
    assert NAMES.read(HASH, name(expires=NOW + 5), NOW) == SignedFor("s", 1, NOW + 5)
    assert NAMES.read(HASH, name(expires=NOW + 5), NOW + 5) is None


def test_it_is_the_same_for_a_while_so_that_browsers_keep_the_image() -> None:
    assert name(NOW) == name(NOW + STEP_SECONDS - 1) != name(NOW + STEP_SECONDS)


@pytest.mark.parametrize("change", [("s", "t"), ("1", "2"), (".", "")])
def test_nothing_in_it_can_be_changed(change: tuple[str, str]) -> None:
    assert NAMES.read(HASH, name().replace(*change), NOW) is None
    assert (
        NAMES.read(
            HASH, CoverNames("another").signed(PATH + HASH, Identity(1, "b", 2, "s", NOW + 9), NOW)[-80:], NOW
        )
        is None
    )
