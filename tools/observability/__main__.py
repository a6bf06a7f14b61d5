"""`python -m tools.observability`: runs the demo platform, a Prometheus beside it, and every query once. The exit code is 1
if a query is empty that should not be, if a target or a rule is in error, or if an alert fires."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import yaml

from cli.console import print_table
from cli.up import run_file
from cli.up.ports import free_port
from cli.up.run_file import RunFile
from tests.support.platform import PASSWORD, Platform
from tests.support.waiting import wait_until
from tools.errors import ToolError
from tools.observability.prometheus import FOLDER, Prometheus, running
from tools.observability.queries import Answered, queries, samples
from tools.observability.visiting import visited

HEALTH = {
    "watch": "CATALOGIZER_PRODUCER__HEALTH__PORT",
    "stream": "CATALOGIZER_STREAMS__HEALTH__PORT",
    "project": "CATALOGIZER_STREAMS__PROJECTOR_HEALTH__PORT",
    "serve": "CATALOGIZER_GATEWAY__HEALTH__PORT",
}
"""The setting of each process's health port."""
SHOWN_SECONDS = 120.0
"""The time for every query to get samples: some metrics are updated every half minute."""


def main() -> int:
    """Run the platform and the queries, print the results; the exit code."""
    ports = {process: free_port() for process in HEALTH}
    settings = {HEALTH[process]: str(port) for process, port in ports.items()}
    addresses = {process: f"127.0.0.1:{port}" for process, port in ports.items()}
    with tempfile.TemporaryDirectory(prefix="catalogizer-observability-") as name:
        folder = Path(name)
        platform = Platform(folder, None, **settings)
        try:
            with running(folder, addresses) as prometheus:
                platform.start()
                return _look(prometheus, platform)
        except ToolError as error:
            print(error, file=sys.stderr)
            return 2
        finally:
            platform.stop()


def _look(prometheus: Prometheus, platform: Platform) -> int:
    run = msgspec.json.decode(run_file.path_in(platform.state_dir).read_bytes(), type=RunFile)
    wanted = list(queries(yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]))
    answers: list[Answered] = []

    def shown() -> bool:
        answers[:] = [Answered(query, samples(prometheus.query(query.text))) for query in wanted]
        return all(answer.is_right for answer in answers)

    with visited(run, PASSWORD):
        _add_file(run)
        try:
            _pause_root_for_a_while(prometheus, platform)
            wait_until(shown, SHOWN_SECONDS, every=2.0, what="every query to show what it should")
        except TimeoutError as error:
            print(error, file=sys.stderr)
        targets, rules = prometheus.targets(), prometheus.rules()
    _print(answers, targets, rules)
    well = all(health == "up" for health in targets.values()) and set(rules.values()) == {("ok", "inactive")}
    return 0 if well and all(answer.is_right for answer in answers) else 1


def _add_file(run: RunFile) -> None:
    """Add a film while the platform is observed."""
    folder = Path(run.library["movies"])
    some = next(path for path in sorted(folder.rglob("*")) if path.is_file())
    shutil.copyfile(some, folder / f"Observed (2001){some.suffix}")


def _pause_root_for_a_while(prometheus: Prometheus, platform: Platform) -> None:
    """Pause a root until Prometheus has seen the gap that this opens; a scan closes it when the root is watched again."""
    _command(platform, "roots", "pause", "music")
    try:
        gap = 'catalogizer_open_gaps{root="music"} > 0'
        wait_until(lambda: bool(prometheus.query(gap)), SHOWN_SECONDS, what="an open gap to be seen", every=0.5)
    finally:
        _command(platform, "roots", "resume", "music")


def _command(platform: Platform, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], env=platform.env, check=True, stdout=subprocess.DEVNULL
    )


def _print(answers: list[Answered], targets: dict[str, str], rules: dict[str, tuple[str, str]]) -> None:
    print_table("Targets", ("process", "health"), sorted(targets.items()))
    print_table("Rules", ("alert", "health", "state"), [(name, *how) for name, how in rules.items()])
    rows = [
        (answer.query.kind, answer.query.name, answer.query.text, str(answer.samples), _verdict(answer))
        for answer in answers
    ]
    print_table("Queries", ("", "name", "query", "samples", ""), rows)
    wrong = sum(not answer.is_right for answer in answers)
    print(f"{len(answers)} queries: {len(answers) - wrong} as they should be, {wrong} not")


def _verdict(answer: Answered) -> str:
    if answer.verdict == "empty, rightly":
        return f"{answer.verdict}: {answer.query.excuse}"
    return answer.verdict


if __name__ == "__main__":
    sys.exit(main())
