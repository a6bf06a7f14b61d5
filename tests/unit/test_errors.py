"""Every error of a package stands in its tree, the tree names every one, and one class alone is an Exception by itself."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

PACKAGES = {
    "cli": "CommandError",
    "gateway": "GatewayError",
    "producer": "ProducerError",
    "runtime": "PlatformError",
    "schemas": "SchemaError",
    "storage": "StorageError",
    "streams": "StreamsError",
    "tools": "ToolError",
}
"""Each with the root of its tree."""


def errors_of(package: str) -> tuple[dict[str, type[Exception]], str]:
    """All errors that its modules define for others than themselves, and the trees drawn in its modules `errors`."""
    found: dict[str, type[Exception]] = {}
    drawn = ""
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if module.name.endswith("__main__"):
            continue
        imported = importlib.import_module(module.name)
        if module.name.endswith(".errors"):
            drawn += imported.__doc__ or ""
        for value in vars(imported).values():
            if (
                isinstance(value, type)
                and issubclass(value, Exception)
                and value.__module__.startswith(f"{package}.")
            ):
                found[value.__qualname__] = value
    return found, drawn


@pytest.mark.parametrize("package", PACKAGES)
def test_the_tree_of_a_package_is_drawn_whole(package: str) -> None:
    found, drawn = errors_of(package)
    leaves = [name for name in found if not name.startswith("_")]
    assert [name for name in leaves if not re.search(rf"^\W*{name}\b", drawn, re.MULTILINE)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_one_class_alone_is_an_exception_by_itself(package: str) -> None:
    found, _ = errors_of(package)
    root = found[PACKAGES[package]]
    assert [name for name, kind in found.items() if not issubclass(kind, root)] == []
