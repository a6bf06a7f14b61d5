"""The systemd unit: paths with any characters, and systemd itself finds nothing wrong with it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cli.unit import argument, quoted, unit_text
from tests.support.platform import ODD


def text(*, user: bool, owner: str | None = None) -> str:
    folder = Path("/srv") / ODD
    return unit_text(
        python=folder / "bin" / "python", checkout=folder, state_dir=folder / "state", user=user, owner=owner
    )


def test_a_word_is_escaped_for_systemd() -> None:
    assert quoted('50% "a\\b"\n$x') == '"50%% \\"a\\\\b\\"\\n$x"'
    assert argument("$HOME 5%") == '"$$HOME 5%%"'


def test_a_user_s_unit_is_wanted_by_the_user_s_manager_and_needs_no_root() -> None:
    lines = text(user=True).splitlines()
    assert "WantedBy=default.target" in lines
    assert [line for line in lines if line.startswith(("User=", "PrivateDevices=", "ProtectSystem="))] == []


def test_the_machine_s_unit_runs_as_its_owner_and_may_not_write_to_the_system() -> None:
    lines = text(user=False, owner="anna").splitlines()
    assert {"User=anna", "ProtectSystem=full", "WantedBy=multi-user.target"} <= set(lines)
    assert "ProtectSystem=yes" in text(user=False).splitlines()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze (Debian: systemd) is missing")
@pytest.mark.parametrize("user", [True, False])
def test_systemd_finds_nothing_wrong(user: bool, tmp_path: Path) -> None:
    unit = tmp_path / "catalogizer.service"
    unit.write_text(text(user=user))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "--user" if user else "--system", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze (Debian: systemd) is missing")
def test_systemd_reports_it_when_something_is_wrong(tmp_path: Path) -> None:
    unit = tmp_path / "catalogizer.service"
    unit.write_text(text(user=False).replace("Restart=on-failure", "Restart=sometimes"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "sometimes" in done.stderr
