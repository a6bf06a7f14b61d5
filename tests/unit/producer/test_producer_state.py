"""The state folder: one process at a time, and a damaged file moved aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.errors import StateLocked
from producer.outbox import Outbox
from producer.state import locked_folder, open_unsent
from tests.support.producer_root import SkippingClock


def test_a_second_producer_of_the_same_name_is_refused_and_another_is_not(tmp_path: Path) -> None:
    with locked_folder(tmp_path, "one") as folder:
        with pytest.raises(StateLocked, match="in use by another producer"), locked_folder(tmp_path, "one"):
            pass
        with locked_folder(tmp_path, "two") as other:
            assert other != folder
    with locked_folder(tmp_path, "one") as again:
        assert again == folder


@pytest.mark.parametrize("damage", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_state_is_set_aside_and_a_new_epoch_begins(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "films.sqlite"
    first = open_unsent(path)
    epoch = Outbox(first, "films", SkippingClock()).epoch
    first.close()
    path.write_bytes(damage)
    again = open_unsent(path)
    assert Outbox(again, "films", SkippingClock()).epoch != epoch
    again.close()
    assert path.with_suffix(".damaged").read_bytes() == damage
