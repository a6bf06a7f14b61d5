"""Tools of the system are found where systems keep them; the server runs from a place where it can."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cli.up.embedded.system_user import check_ours, in_place, system_tool
from cli.up.errors import BrokenState


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


def server(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "postgres").touch(0o755)
    return folder


@pytest.mark.parametrize(
    ("name", "runs"), [("Größe, #1 = 5% 'y'", True), ('"', False), ("$HOME", False), ("`id`", False)]
)
def test_it_runs_from_where_a_shell_reads_its_place_as_it_is(name: str, runs: bool) -> None:
    with TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        assert in_place(server(Path(folder) / name)) is runs


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the server another user")
def test_for_root_it_runs_from_where_its_user_can_pass() -> None:
    with TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o700)
        assert not in_place(server(Path(folder) / "x"))
        Path(folder).chmod(0o711)
        assert in_place(Path(folder) / "x")


@pytest.mark.parametrize(("mode", "ours"), [(0o755, True), (0o700, True), (0o757, False), (0o1777, False)])
def test_a_copy_where_others_may_write_is_not_run(mode: int, ours: bool, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    folder.chmod(mode)
    if ours:
        check_ours(folder)
    else:
        with pytest.raises(BrokenState, match="another user can write there"):
            check_ours(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_copy_of_somebody_else_s_is_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    os.chown(folder, 10_001, 10_001)
    with pytest.raises(BrokenState):
        check_ours(folder)
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(BrokenState):
        check_ours(tmp_path / "link")
