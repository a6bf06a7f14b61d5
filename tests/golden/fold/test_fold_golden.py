"""A recorded log gives, for ever, the recorded outputs of the fold's version."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

from schemas.codec import raw_codec
from schemas.errors import Undecodable
from schemas.raw import RawRecord
from schemas.topics import DLQ_SUFFIX
from streams.core.rules import RULES_1
from tests.golden.fold.recording import LOG, OUTPUTS, recorded, shown
from tests.support.grown import grown_bytes
from tests.support.refold import Stored, folded


def test_the_outputs_are_the_recorded_ones() -> None:
    expected = OUTPUTS.read_text().splitlines() if OUTPUTS.exists() else []
    for number, (was, now) in enumerate(zip_longest(expected, shown(folded(recorded())))):
        assert now == was, (
            f"output {number} of {LOG.name} is another than {OUTPUTS.name} says. If that is meant, the fold needs a "
            f"new version (now {RULES_1.version}) and `python -m tests.golden.fold.recording` writes its outputs."
        )


def test_fields_and_headers_of_a_later_program_change_no_output() -> None:
    """Where both have the same rules, either may fold what the other's producers wrote."""
    later = [replace(record, value=of_tomorrow(record.value)) for record in recorded()]
    assert later != recorded()
    assert decided(later) == decided(recorded())


def decided(log: list[Stored]) -> list[str]:
    """All outputs but dead letters, which have the record's own bytes."""
    return list(shown([output for output in folded(log) if not output.topic.name.endswith(DLQ_SUFFIX)]))


def of_tomorrow(value: bytes | None) -> bytes | None:
    try:
        return grown_bytes(raw_codec.decode(value))
    except Undecodable:
        return value


def test_the_log_has_every_kind_of_record_and_one_that_is_none() -> None:
    kinds, undecodable = set(), 0
    for record in recorded():
        try:
            kinds.add(type(raw_codec.decode(record.value)))
        except Undecodable:
            undecodable += 1
    assert kinds == set(RawRecord.__args__)
    assert undecodable == 1
