"""From groups to a role and rights; claims are found by name or by path, and nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.oidc.mapping import Granted, claim_values, granted
from gateway.access.oidc.provider_settings import Grant, ProviderSettings
from gateway.access.roles import ADMIN, OPERATOR, VIEWER
from gateway.core.rights import Rights

TABLE: dict[str, dict[str, Any]] = {
    "readers": {"libraries": ["films"], "channels": ["media_updates"]},
    "music": {"libraries": ["music"], "channels": ["notifications"]},
    "editors": {"role": "operator", "storage_roots": ["inbox"]},
    "admins": {"role": "admin"},
}


def provider(**changes: Any) -> ProviderSettings:
    values: dict[str, Any] = {"id": "corp", "name": "Corp", "issuer": "https://id.example", "client_id": "c"}
    return ProviderSettings(**{**values, "mapping": TABLE, **changes})


def test_several_groups_give_the_union_and_the_highest_role() -> None:
    assert granted(provider(), {"groups": ["readers", "music", "editors", "strangers"]}) == Granted(
        OPERATOR.id,
        Rights.of(["media_updates", "notifications", "*"], ["films", "music"], ["inbox"]),
    )


def test_who_matches_nothing_has_what_the_default_gives_or_nothing() -> None:
    assert granted(provider(), {"groups": ["strangers"]}) is None
    assert granted(provider(), {}) is None
    default = provider(default={"role": "viewer", "libraries": ["free"]})
    assert granted(default, {}) == Granted(VIEWER.id, Rights.of(["*"], ["free"], []))
    assert granted(default, {"groups": ["admins"]}) == Granted(ADMIN.id, Rights.of(["*"], [], ["*"]))


def test_a_role_alone_sees_every_root_and_one_with_libraries_those_alone() -> None:
    assert Grant().rights.all_roots
    assert not Grant(libraries=("films",)).rights.all_roots
    assert not Grant(storage_roots=()).rights.all_roots


@pytest.mark.parametrize(
    ("claims", "path", "values"),
    [
        ({"groups": ["a", "b"]}, "groups", {"a", "b"}),
        ({"groups": "a"}, "groups", {"a"}),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", {"a"}),
        ({"https://x.example/roles": ["a"]}, "https://x.example/roles", {"a"}),
        ({"a.b": ["whole"], "a": {"b": ["path"]}}, "a.b", {"whole"}),
        ({"groups": {"a": True}}, "groups", set()),
        ({"groups": [1, None, ["a"], {"a": 1}]}, "groups", set()),
        ({"realm_access": ["roles"]}, "realm_access.roles", set()),
        ({"groups": None}, "groups", set()),
        ({}, "a.b.c", set()),
    ],
)
def test_a_claim_is_found_by_its_name_or_by_its_path(claims: dict[str, Any], path: str, values: set[str]) -> None:
    assert claim_values(claims, path) == values


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_whatever_a_claim_holds_only_the_names_of_the_table_give_anything(value: Any) -> None:
    found = granted(provider(), {"groups": value})
    named = (
        value in TABLE
        if isinstance(value, str)
        else isinstance(value, list) and any(isinstance(one, str) and one in TABLE for one in value)
    )
    assert (found is not None) == named
