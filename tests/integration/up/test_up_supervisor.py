"""What is started is kept alive, ends with the supervisor whatever ends it, and ends in order on request."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli.up.errors import StateInUse
from cli.up.state import owned
from cli.up.supervision import leftovers, program
from tests.support import supervised
from tests.support.waiting import wait_until

START_SECONDS = 60
GONE_SECONDS = 5
RESTART_SECONDS = 2


class Run:
    """A supervisor in a process of its own."""

    def __init__(self, folder: Path, scenario: str) -> None:
        self.folder = folder / "state"
        self._output = folder / "output"
        with self._output.open("ab") as output:
            self.process = program.start(supervised.program(self.folder, scenario), output)

    @property
    def output(self) -> str:
        return self._output.read_text()

    def until_said(self, text: str, seconds: float = START_SECONDS) -> None:
        wait_until(lambda: text in self.output or self.process.poll() is not None, seconds, what=text)
        assert text in self.output, self.output

    def pids(self) -> dict[str, int]:
        """As the supervisor reports them."""
        lines = (self.folder / "pids").read_text().splitlines()
        return {name: int(pid) for name, pid in (line.split() for line in lines)}

    def family(self) -> list[psutil.Process]:
        """All that descends from it now, its guardian too."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def until_family(self, least: int) -> list[psutil.Process]:
        """Its descendants once there are that many."""
        wait_until(lambda: len(self.family()) >= least, START_SECONDS, what=f"{least} processes")
        return self.family()

    def until_other(self, component: str, pid: int) -> None:
        """Return when the component is another process than it was."""
        wait_until(lambda: self.pids().get(component, pid) != pid, RESTART_SECONDS, what=f"a new {component}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; the exit code and how long it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(30), time.monotonic() - began


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[list[Run]]:
    started: list[Run] = []
    yield started
    for run in started:
        run.process.kill()
        run.process.wait()
    leftovers.clear((tmp_path / "state").resolve())


def begin(runs: list[Run], tmp_path: Path, scenario: str) -> Run:
    runs.append(Run(tmp_path, scenario))
    return runs[-1]


def gone(family: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)


def until_gone(family: list[psutil.Process]) -> None:
    wait_until(lambda: gone(family), GONE_SECONDS, what=f"{family} to be gone")


@pytest.mark.parametrize("scenario", ["well", "deaf", "servers"])
def test_kill_9_of_the_supervisor_leaves_no_process(scenario: str, runs: list[Run], tmp_path: Path) -> None:
    run = begin(runs, tmp_path, scenario)
    run.until_said("ready\n")
    family = run.family()
    assert len(family) >= 5
    run.end(signal.SIGKILL)
    until_gone(family)


def test_killed_at_any_moment_of_its_start_it_leaves_no_process_and_can_start_again(
    runs: list[Run], tmp_path: Path
) -> None:
    for number in range(3):
        run = begin(runs, tmp_path, "servers")
        family = run.until_family(number + 1)
        run.end(signal.SIGKILL)
        until_gone(family)
    begin(runs, tmp_path, "servers").until_said("ready\n", 2 * START_SECONDS)


def test_what_a_killed_supervisor_left_is_ended_by_the_next_start(runs: list[Run], tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    environment = {**os.environ, program.STATE_MARK: str(folder.resolve())}
    orphan = subprocess.Popen(["sleep", "1000"], env=environment)
    begin(runs, tmp_path, "well").until_said("ready\n")
    assert orphan.wait(1) == -signal.SIGKILL


def test_a_dead_component_is_restarted_within_two_seconds_and_reported(runs: list[Run], tmp_path: Path) -> None:
    run = begin(runs, tmp_path, "well")
    run.until_said("ready\n")
    for delay in ("0.2", "0.4", "0.8"):
        before = run.pids()
        os.kill(before["two"], signal.SIGKILL)
        run.until_other("two", before["two"])
        assert f"two was killed by SIGKILL: started again in {delay} s" in run.output
        assert {**run.pids(), "two": 0} == {**before, "two": 0}


def test_the_children_of_a_dead_component_die_with_it(runs: list[Run], tmp_path: Path) -> None:
    run = begin(runs, tmp_path, "well")
    run.until_said("ready\n")
    children = psutil.Process(run.pids()["two"]).children()
    assert len(children) == 1
    os.kill(run.pids()["two"], signal.SIGKILL)
    until_gone(children)


def test_asked_to_end_it_ends_services_before_servers_and_exits_with_0(runs: list[Run], tmp_path: Path) -> None:
    run = begin(runs, tmp_path, "well")
    run.until_said("ready\n")
    family = run.family()
    code, seconds = run.end()
    assert code == 0
    assert seconds < 5
    assert (run.folder / "ended").read_text().split()[-1] == "one"
    assert sorted((run.folder / "ended").read_text().split()) == ["one", "three", "two"]
    assert gone(family)


def test_a_component_that_does_not_end_is_killed_in_time(runs: list[Run], tmp_path: Path) -> None:
    run = begin(runs, tmp_path, "deaf")
    run.until_said("ready\n")
    family = run.family()
    code, seconds = run.end()
    assert code == 0
    assert seconds < 10
    assert "two did not end within" in run.output
    assert gone(family)


def test_asked_to_end_while_it_starts_it_ends(runs: list[Run], tmp_path: Path) -> None:
    run = begin(runs, tmp_path, "broken")
    run.until_said("one ended with exit code 3 (it is broken): started again in 0.4 s")
    code, seconds = run.end()
    assert code == 0
    assert seconds < 5


def test_a_component_whose_settings_are_refused_ends_the_start_with_its_error(
    runs: list[Run], tmp_path: Path
) -> None:
    run = begin(runs, tmp_path, "refused")
    assert run.process.wait(START_SECONDS) == 1
    assert "one did not start: error: gateway.port: no (log:" in run.output.splitlines()[-1]


def test_a_component_that_never_starts_ends_the_start_with_its_error(runs: list[Run], tmp_path: Path) -> None:
    run = begin(runs, tmp_path, "broken")
    assert run.process.wait(START_SECONDS) == 1
    assert "one did not start: it is broken (log:" in run.output.splitlines()[-1]


def test_a_state_folder_has_one_supervisor(tmp_path: Path) -> None:
    wanted = rf"is in use by another `catalogizer up` \(process {os.getpid()}\)"
    with owned(tmp_path) as state, pytest.raises(StateInUse, match=wanted), owned(state.folder):
        pass


def test_one_that_is_not_known_yet_is_not_named(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StateInUse, match="another `catalogizer up`; end it"), owned(tmp_path):
            pass
