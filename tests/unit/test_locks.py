"""What keeps the platform on known ground: locks without addresses, floors of versions, who may import what."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from schemas import __version__

ROOT = Path(__file__).parents[2]
LOCKS = sorted([*(ROOT / "requirements").glob("*.txt"), ROOT / "cli" / "up" / "embedded" / "jars.lock"])
PACKAGES = ("schemas", "runtime", "storage", "producer", "streams", "gateway", "cli")
CORES = ("producer/core", "streams/core", "gateway/core")
PURE = ("streams/status/rules.py", "streams/status/open_gaps.py")
"""Pure modules beside their shells."""

FLOORS: dict[str, tuple[tuple[int, ...], str]] = {
    "aiokafka": ((0, 14), "older ones are not tried"),
    "watchdog": ((7, 1), "event filters"),
    "uvicorn": ((0, 52, 1), "0.50 to 0.52.0 have no WebSocket back-pressure"),
    "starlette": ((1, 3, 1), "security"),
    "authlib": ((1, 9), "security"),
    "joserfc": ((1, 6, 8), "security"),
    "h11": ((0, 16), "security"),
    "aiohttp": ((3, 14, 2), "security"),
    "psycopg": ((3, 3), "older ones are not tried"),
    "typer": ((0, 29), "needs no click, which Faust caps"),
}

EXAMINED = frozenset({"aiokafka", "faust-streaming", "watchdog"})
"""Read and worked around: another version is examined before it is let in."""
DEPENDENCIES = [
    Requirement(text) for text in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
]
LOCKED_TO_RUN: dict[str, list[str]] = {}
for _name, _version in re.findall(
    r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "requirements" / "run.txt").read_text(), re.M
):
    LOCKED_TO_RUN.setdefault(re.sub(r"[-_.]+", "-", _name).lower(), []).append(_version)

IMPURE = frozenset(
    {
        "runtime", "storage", "smbprotocol",
        "aiokafka", "faust", "fastapi", "starlette", "uvicorn", "watchdog", "psycopg", "asyncio",
        "threading", "multiprocessing", "socket", "ssl", "subprocess", "time", "random", "secrets", "logging",
        "structlog", "os",
    }
)  # fmt: skip
CLIENTS = frozenset({"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "AIOKafkaClient"})
OWNERS: dict[str, frozenset[str]] = {
    "faust": frozenset({"streams"}),
    "watchdog": frozenset({"producer"}),
    "smbprotocol": frozenset({"storage"}),
    "authlib": frozenset({"gateway"}),
}


def number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.split("+")[0])[:3])


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level packages that a module imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
    return found


def called(path: Path) -> set[str]:
    """Names that a module calls."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(name) | ast.Attribute(attr=name):
                    found.add(name)
    return found


def test_there_are_lock_files() -> None:
    assert {path.name for path in LOCKS} >= {"bootstrap.txt", "run.txt", "dev.txt", "jars.lock"}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_carries_no_address(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"[a-z]+://|--index-url|--extra-index-url|--find-links", text) == []


@pytest.mark.parametrize("path", [p for p in LOCKS if p.suffix == ".txt"], ids=lambda path: path.name)
def test_every_locked_package_has_hashes(path: Path) -> None:
    pinned = re.findall(r"^\S+==\S+.*?(?=^\S|\Z)", path.read_text(), re.M | re.S)
    assert pinned
    assert [block.split()[0] for block in pinned if "--hash=sha256:" not in block] == []


def test_the_lock_of_the_web_client_has_hashes_and_no_address() -> None:
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    fetched = {
        name: package for name, package in locked.items() if "node_modules/" in name and not package.get("link")
    }
    assert fetched
    assert [
        name for name, package in fetched.items() if not package.get("integrity", "").startswith("sha512-")
    ] == []
    assert [name for name, package in locked.items() if "://" in package.get("resolved", "")] == []


def test_who_installs_the_web_client_gets_nothing_with_it() -> None:
    package = json.loads((ROOT / "web" / "client" / "package.json").read_text())
    assert "dependencies" not in package
    assert package["peerDependenciesMeta"].keys() == package["peerDependencies"].keys()
    assert package["version"] == __version__  # one version for all
    assert (ROOT / "web" / "client" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("requirement", DEPENDENCIES, ids=lambda requirement: requirement.name)
def test_a_dependency_has_a_floor_that_the_lock_satisfies_and_a_ceiling_where_it_was_examined(
    requirement: Requirement,
) -> None:
    operators = {one.operator for one in requirement.specifier}
    assert operators <= {">=", "==", "<"}
    assert operators & {">=", "=="}, "no floor"
    assert bool(operators & {"==", "<"}) is (requirement.name in EXAMINED), "a ceiling without an examination"
    locked = LOCKED_TO_RUN[_spelled(requirement.name)]
    assert [one for one in locked if one not in requirement.specifier] == []


def test_a_floor_is_not_below_what_is_known_to_work() -> None:
    declared = {requirement.name: requirement.specifier for requirement in DEPENDENCIES}
    assert [name for name, (floor, _) in FLOORS.items() if _floor_of(declared[name]) < floor] == []


def _floor_of(specifier: SpecifierSet) -> tuple[int, ...]:
    return next(number(one.version) for one in specifier if one.operator in (">=", "=="))


@pytest.mark.parametrize("package", FLOORS)
def test_a_package_is_not_older_than_what_is_known_to_work(package: str) -> None:
    floor, why = FLOORS[package]
    assert number(version(package)) >= floor, why


def test_faust_and_watchdog_are_of_the_versions_that_were_examined() -> None:
    assert version("faust-streaming") == "0.15.3"
    assert number(version("watchdog")) < (7, 2)
    version("cramjam")  # without it aiokafka's zstd fails at run time


def test_what_the_platform_imports_is_installed_to_run_it() -> None:
    """A package that only the tests bring along is missing at the first start of a stranger's."""
    pinned = {
        _spelled(name)
        for name in re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements/run.txt").read_text(), re.M)
    }
    bringing = packages_distributions()
    imported = {name for path in modules(*PACKAGES) for name in _imported(path)}
    missing = {
        name for name in imported - set(sys.stdlib_module_names) - {*PACKAGES, "tests", "tools"}
        if not {_spelled(one) for one in bringing.get(name, ())} & pinned
    }  # fmt: skip
    assert missing == set()


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module.partition(".")[0]


def _spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_a_parser_with_a_history_of_attacks_is_absent() -> None:
    with pytest.raises(PackageNotFoundError):
        version("python-multipart")


def test_kafka_clients_are_constructed_in_one_place() -> None:
    elsewhere = [
        str(path.relative_to(ROOT))
        for path in modules(*PACKAGES)
        if path != ROOT / "runtime" / "kafka.py" and called(path) & CLIENTS
    ]
    assert elsewhere == []


@pytest.mark.parametrize(
    "path", [*modules(*CORES), *(ROOT / path for path in PURE)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_core_imports_nothing_impure(path: Path) -> None:
    assert imported(path) & IMPURE == set()


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_used_only_where_it_belongs(library: str) -> None:
    users = {path.relative_to(ROOT).parts[0] for path in modules(*PACKAGES) if library in imported(path)}
    assert users <= OWNERS[library]


def test_the_deprecated_token_module_is_never_imported() -> None:
    assert [path for path in modules(*PACKAGES) if "authlib.jose" in path.read_text()] == []
