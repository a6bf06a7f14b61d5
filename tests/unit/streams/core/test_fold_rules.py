"""Rules of a version never change: their digest is pinned, and everything in them is data that it covers."""

from __future__ import annotations

import msgspec
import pytest

from streams.core.fold import Fold
from streams.core.rules import RULES_1, Rules
from tests.golden.fold.recording import recorded
from tests.support.lane import Lane, a_file, kinds
from tests.support.refold import digest, folded

DIGESTS = {RULES_1: "44097e8b17a20b51"}
OUTPUTS = {RULES_1: "e360304bb431fbe554e9a0d6f5e1138b57cee0550c0e7db697cd553b96baff70"}
"""Of the golden log, by these rules."""


@pytest.mark.parametrize("rules", DIGESTS)
def test_the_digest_of_a_version_is_the_pinned_one(rules: Rules) -> None:
    assert rules.digest == DIGESTS[rules], "another rule under an old number: make a new version"


@pytest.mark.parametrize("rules", OUTPUTS)
def test_outputs_of_a_digest_are_the_pinned_ones(rules: Rules) -> None:
    assert digest(folded(recorded())) == OUTPUTS[rules], "other outputs: give `stages` another value, and pin both"


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(Rules)])
def test_the_digest_covers_every_rule(field: str) -> None:
    assert msgspec.structs.replace(RULES_1, **{field: "another"}).digest != RULES_1.digest


def test_nothing_in_them_can_be_changed() -> None:
    with pytest.raises(AttributeError):
        RULES_1.title_cap = 5  # type: ignore[misc]
    hash(msgspec.structs.astuple(RULES_1)[1:3])


def test_a_fold_goes_by_the_rules_that_it_is_given() -> None:
    patient = msgspec.structs.replace(RULES_1, version=2, probed=(), batch_quiet_ms=1)
    lane = Lane(Fold(0, rules=patient))
    lane.declare()
    lane.see("a.mkv", a_file(1))
    assert kinds(lane.later(2_000)) == ["created a.mkv", "media created"]
    assert dict(lane.outputs[-1].headers)["x-fold-version"] == b"2"
