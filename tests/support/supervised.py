"""A supervisor of small children, run as a process of its own so that a test can kill it.

    python -m tests.support.supervised STATE_DIR SCENARIO

The children write their pids into STATE_DIR, one file each, appended to at every start.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from cli import hang_up, standard_streams
from cli.up import ports
from cli.up.embedded import jars
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from cli.up.output import SetupOutput
from cli.up.platform import server_plan
from cli.up.state import StateFolder, owned
from cli.up.supervision.component import Plan, service
from cli.up.supervision.program import STATE_MARK, Program, python
from cli.up.supervision.supervisor import Supervisor, run
from cli.up.terminal import own_terminal
from runtime import lifecycle, log
from runtime.lifecycle import READY_FILE, Stop
from runtime.settings import LogSettings

WELL = """
import os, pathlib, signal, subprocess, sys
pids, ready = map(pathlib.Path, sys.argv[1:3])
child = subprocess.Popen(["sleep", "1000"])
with pids.open("a") as file:
    file.write(f"{os.getpid()} {child.pid}\\n")
ready.write_text(str(os.getpid()))
signal.sigwait({signal.SIGTERM} if "deaf" not in sys.argv else {signal.SIGUSR1})
pathlib.Path(pids.parent / "ended").open("a").write(sys.argv[3] + "\\n")
"""
"""A process of ours with a child of its own. `deaf`: it ignores the request to end."""
BROKEN = "import sys; print('it is broken'); sys.exit(3)"
REFUSED = "import sys; print('error: gateway.port: no'); sys.exit(2)"


def plan(state: StateFolder, name: str, code: str, *extra: str) -> Plan:
    """A child."""
    ready, pids = state.ready_file(name), state.folder / f"{name}.pids"
    environment = {STATE_MARK: str(state.folder), READY_FILE: str(ready)}
    block = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})\n"
    arguments = ("-c", block + code, str(pids), str(ready), name, *extra)
    return service(name, python(name, arguments, environment), ready)


def servers(state: StateFolder) -> list[Plan]:
    """The real ones."""
    paths = jars.obtain(jars.locked(jars.SERVER), jars.cache_folder() / "kafka", SetupOutput())
    mark = {STATE_MARK: str(state.folder)}
    kafka = EmbeddedKafka(state.kafka, ports.free_port(), paths)
    postgres = EmbeddedPostgres(state.postgres, ports.free_port())
    return [server_plan("kafka", kafka, mark), server_plan("postgres", postgres, mark)]


SCENARIOS: dict[str, Callable[[StateFolder], tuple[list[Plan], list[Plan]]]] = {
    "well": lambda state: ([plan(state, "one", WELL)], [plan(state, "two", WELL), plan(state, "three", WELL)]),
    "deaf": lambda state: ([plan(state, "one", WELL)], [plan(state, "two", WELL, "deaf")]),
    "broken": lambda state: ([], [plan(state, "one", BROKEN)]),
    "refused": lambda state: ([], [plan(state, "one", REFUSED)]),
    "servers": lambda state: (servers(state), [plan(state, "two", WELL)]),
}


def main(folder: Path, scenario: str) -> None:
    """Run the scenario as `catalogizer up` runs: until requested to end, or until its terminal is closed."""
    standard_streams.open_missing()
    standard_streams.outlive_readers()
    log.configure(LogSettings(), "up")
    with hang_up.noticed(), own_terminal(), owned(folder) as state:
        first, then = SCENARIOS[scenario](state)

        async def supervise(stop: Stop) -> None:
            output = SetupOutput()

            async def set_up() -> None:
                output.print("set up")

            def changed(pids: dict[str, int]) -> None:
                text = "".join(f"{name} {pid}\n" for name, pid in pids.items())
                (state.folder / "pids.new").write_text(text)
                (state.folder / "pids.new").replace(state.folder / "pids")

            supervisor = Supervisor(first, lambda: then, log=state.log, show=output.print, changed=changed)
            await run(supervisor, set_up, stop.wait(), lambda: output.print("ready"))

        lifecycle.run(supervise)


def program(folder: Path, scenario: str) -> Program:
    """The command line."""
    return python("supervised", ("-m", "tests.support.supervised", str(folder), scenario), {})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
