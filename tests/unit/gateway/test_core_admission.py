"""Connections in total and of one address, below the limit on open files."""

from __future__ import annotations

from gateway.core.admission import IN_WORK, Admission, Room, files_wanted, room
from gateway.core.arriving import FULL, PER_ADDRESS


def nobody(_: str) -> bool:
    return False


def test_the_setting_fits_where_the_files_it_needs_may_be_open() -> None:
    assert room(10_000, 1_000, files_wanted(10_000)) == Room(11_000, 10_000, 1_000)


def test_below_that_what_fits_is_computed_and_one_address_gets_half_of_it_at_most() -> None:
    assert room(10_000, 1_000, 1_024) == Room(768, 576, 384)


def test_an_address_has_its_bound_and_everybody_has_theirs() -> None:
    admission = Admission(Room(connections=4, sockets=4, of_address=2), nobody)
    assert [admission.enter("10.0.0.1") for _ in range(3)] == [None, None, PER_ADDRESS]
    assert [admission.enter(f"10.0.0.{n}") for n in (2, 3)] == [None, FULL]
    for address in ("10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3"):
        admission.leave(address)
    assert (admission.total, dict(admission.of_address)) == (0, {})


def test_a_trusted_proxy_has_no_limit_per_address() -> None:
    admission = Admission(Room(10, 10, 1), lambda address: address == "10.0.0.1")
    assert [admission.enter("10.0.0.1") for _ in range(3)] == [None, None, None]
    for _ in range(2 * IN_WORK):
        admission.began("10.0.0.1")
        admission.began("10.0.0.2")
    assert [admission.may_begin("10.0.0.1"), admission.may_begin("10.0.0.2")] == [True, False]
