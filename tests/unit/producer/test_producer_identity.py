"""Is it still this root?"""

from __future__ import annotations

import pytest

from producer.core.identity import Faulty, Same, Seen, judge
from schemas.raw import RootIdentity

KNOWN = RootIdentity(dev=1, inode=2, fsid=3)


def verdict(known: RootIdentity | None, identity: RootIdentity, *, empty: bool = False) -> str:
    found = judge(known, Seen(identity, empty))
    return found.cause if isinstance(found, Faulty) else "same"


def test_the_first_identity_ever_seen_is_adopted() -> None:
    assert judge(None, Seen(KNOWN, empty=True)) == Same(KNOWN)


def test_a_reboot_may_change_the_device_number_of_a_file_system_that_has_an_id() -> None:
    assert verdict(KNOWN, RootIdentity(dev=9, inode=2, fsid=3)) == "same"
    assert verdict(RootIdentity(dev=1, inode=2), RootIdentity(dev=9, inode=2)) == "swapped"


@pytest.mark.parametrize(
    "other", [RootIdentity(1, 9, 3), RootIdentity(1, 2, 9), RootIdentity(1, 2, 3, marker="another")]
)
def test_another_directory_or_file_system_is_a_swapped_root_and_an_empty_one_looks_unmounted(
    other: RootIdentity,
) -> None:
    assert verdict(KNOWN, other) == "swapped"
    assert verdict(KNOWN, other, empty=True) == "replaced_by_empty"


def test_what_cannot_be_opened_stays_what_it_is() -> None:
    missing = Faulty("missing", "/films does not exist")
    assert judge(None, missing) == judge(KNOWN, missing) == missing
