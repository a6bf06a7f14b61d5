"""Every error of the gateway stands in its one tree, and the tree names every one."""

from __future__ import annotations

import importlib
import pkgutil

import gateway
from gateway import errors


def own_errors() -> dict[str, type[Exception]]:
    """All exception classes that the package's modules define."""
    found: dict[str, type[Exception]] = {}
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if (
                isinstance(value, type)
                and issubclass(value, Exception)
                and value.__module__.startswith("gateway.")
            ):
                found[name] = value
    return found


def test_the_tree_is_drawn_whole() -> None:
    drawn = errors.__doc__ or ""
    assert [name for name in own_errors() if name not in drawn] == []


def test_nothing_else_is_directly_an_exception() -> None:
    assert [name for name, kind in own_errors().items() if not issubclass(kind, errors.GatewayError)] == []
