"""Rules of a version never change: their digest is pinned, and everything in them is data that it covers."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from schemas.found import ANALYSED
from streams.core.fold import Fold
from streams.core.naming import names_by
from streams.core.rules import NEWEST, RULES, RULES_1, Rules
from streams.core.state import State
from tests.golden.fold.recording import recorded
from tests.support.lane import Lane, a_file, kinds
from tests.support.refold import digest, folded

CORPUS = Path(__file__).parents[3] / "golden" / "names"
DIGESTS = {
    1: "3ea0704a5470ec48",
    2: "1c7e2f385171b431",
    3: "5692b50e08fec6f6",
    4: "3a2903163ab9ed1b",
    5: "a14f2771598558ab",
}
OUTPUTS = {
    1: "54daa2acdfae9ef1324aae1e7400ef3731f68e58870502a8f33923c85baa3d6a",
    2: "e68ea9866c9363e263156d0b2aaca644a61be6c47c8418e7e10bab63e2c8ac06",
    3: "a3ab075675c06083479db2a09d0ffd44b3045664d5b4d179e1a70a8fa77d58c3",
    4: "830e4a2d530cf18047dbb577f15d0d975cc58d3cc5262244001ac4d41f01b74f",
    5: "78d93137be5c53857155860ea147e8493d0b41a97f220bffdf9b08fcaa247e16",
}
"""Of the golden log, by these rules."""


def test_the_digest_of_each_version_is_the_pinned_one() -> None:
    digests = {version: rules.digest for version, rules in RULES.items()}
    assert digests == DIGESTS, "another rule under an old number: make a new version"


@pytest.mark.parametrize("version", OUTPUTS)
def test_outputs_of_a_digest_are_the_pinned_ones(version: int) -> None:
    state = State()
    state.rules_version = version
    assert digest(folded(recorded(), Fold(0, state=state))) == OUTPUTS[version], (
        "other outputs: give `stages` another value, and pin both"
    )


@pytest.mark.parametrize("version", RULES)
def test_what_names_mean_is_the_pinned_reading(version: int) -> None:
    """A corpus of names for each version: a pattern that reads one otherwise is another version."""
    file = CORPUS / f"names-{version}.json"
    names = json.loads((CORPUS / "names.json").read_text())
    read = {name: msgspec.to_builtins(names_by(RULES[version]).read(name)) for name in names}
    assert read == json.loads(file.read_text())


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(Rules)])
def test_the_digest_covers_every_rule(field: str) -> None:
    assert msgspec.structs.replace(RULES_1, **{field: "another"}).digest != RULES_1.digest


def test_what_others_take_for_analysed_is_what_the_newest_rules_analyse() -> None:
    assert RULES[NEWEST].probed == ANALYSED


def test_nothing_in_them_can_be_changed() -> None:
    with pytest.raises(AttributeError):
        RULES_1.title_cap = 5  # type: ignore[misc]
    hash(msgspec.structs.astuple(RULES_1)[1:3])


def test_a_fold_goes_by_the_rules_that_it_is_given() -> None:
    patient = msgspec.structs.replace(RULES_1, probed=(), batch_quiet_ms=1)
    lane = Lane(Fold(0, carried={1: patient}))
    lane.declare()
    lane.see("a.mkv", a_file(1))
    assert kinds(lane.later(2_000)) == ["created a.mkv", "media created"]
    assert dict(lane.outputs[-1].headers)["x-fold-version"] == b"1"
