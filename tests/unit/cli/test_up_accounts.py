"""Tools of the system are found where systems keep them, whatever PATH says."""

from __future__ import annotations

import subprocess

import pytest

from cli.up.embedded.accounts import system_tool


@pytest.mark.parametrize("path", ["/usr/bin:/bin", "", None])
def test_a_system_tool_is_found_without_the_systems_folders_in_path(
    path: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PATH")
    if path is not None:
        monkeypatch.setenv("PATH", path)
    for tool in ("useradd", "env"):
        assert subprocess.run([system_tool(tool), "--help"], stdout=subprocess.DEVNULL).returncode == 0


def test_one_that_is_nowhere_keeps_its_name() -> None:
    assert system_tool("no-such-tool") == "no-such-tool"
