"""A terminal that closes ends what was started on it, cleanly and completely; a process that opted out continues."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cli.up.ports import free_port
from tests.support.command import ROOT
from tests.support.gateway import SECRET
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

NOTICED_SECONDS = 2
END_SECONDS = 10
READY_SECONDS = 90
MINIMAL = {"PATH": "/usr/bin:/bin"}
Open = Callable[..., Terminal]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens terminals, and ends what is left on them."""
    terminals: list[Terminal] = []

    def open_one(*argv: str | Path, controlling: bool, cwd: Path = ROOT, **env: str) -> Terminal:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CATALOGIZER_")}
        terminals.append(Terminal(argv, controlling=controlling, cwd=cwd, env=clean | env))
        return terminals[-1]

    yield open_one
    for terminal in terminals:
        family = psutil.Process(terminal.process.pid).children(True) if terminal.process.poll() is None else []
        terminal.end()
        for process in family:
            process.kill()


def supervised(folder: Path, scenario: str = "well") -> list[str]:
    return [sys.executable, "-m", "tests.support.supervised", str(folder), scenario]


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@pytest.mark.parametrize("controlling", [True, False])
def test_a_closed_terminal_ends_it_cleanly_and_all_of_it(opened: Open, tmp_path: Path, controlling: bool) -> None:
    terminal = opened(*supervised(tmp_path / "state"), controlling=controlling)
    terminal.until("ready\r\n")
    family = psutil.Process(terminal.process.pid).children(recursive=True)
    assert len(family) >= 5
    terminal.close()
    assert terminal.process.wait(NOTICED_SECONDS + 5) == 0
    ended = (tmp_path / "state" / "ended").read_text().split()
    assert (sorted(ended), ended[-1]) == (["one", "three", "two"], "one")
    wait_until(lambda: gone(family), 1, what="the family to be gone")


@pytest.mark.parametrize("controlling", [True, False])
def test_under_make_which_waits_for_it_too(opened: Open, tmp_path: Path, controlling: bool) -> None:
    command = f"{shlex.join(supervised(tmp_path / 'state'))}; echo $$? > {tmp_path}/code"
    (tmp_path / "Makefile").write_text(f"run:\n\t@{command}\n")
    terminal = opened("make", "-f", tmp_path / "Makefile", "run", controlling=controlling)
    terminal.until("ready\r\n")
    family = psutil.Process(terminal.process.pid).children(recursive=True)
    terminal.close()
    wait_until(lambda: gone(family), NOTICED_SECONDS + 5, what="the family to be gone")
    assert terminal.process.wait(5) is not None
    wait_until((tmp_path / "code").exists, 5, what="its exit code")
    assert (tmp_path / "code").read_text() == "0\n"
    ended = (tmp_path / "state" / "ended").read_text().split()
    assert (sorted(ended), ended[-1]) == (["one", "three", "two"], "one")


@pytest.mark.parametrize("controlling", [True, False])
def test_started_with_nohup_it_goes_on(opened: Open, tmp_path: Path, controlling: bool) -> None:
    argv = ("nohup", *supervised(tmp_path / "state"))  # which writes its nohup.out where it is started
    terminal = opened(*argv, controlling=controlling, cwd=tmp_path, PYTHONPATH=str(ROOT))
    pids = tmp_path / "state" / "pids"
    wait_until(lambda: pids.exists() and pids.read_text().count("\n") == 3, 30, what="its components")
    before = pids.read_text()
    terminal.close()
    with pytest.raises(subprocess.TimeoutExpired):
        terminal.process.wait(NOTICED_SECONDS)
    assert pids.read_text() == before
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(END_SECONDS) == 0


BACKGROUND = """\
import os, signal, subprocess, sys
signal.signal(signal.SIGHUP, lambda *_: None)
child = subprocess.Popen(sys.argv[1:], process_group=0)
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
sys.exit(child.wait())
"""


def test_in_the_background_of_its_terminal_it_is_for_the_shell_to_say(opened: Open, tmp_path: Path) -> None:
    """`catalogizer up & disown`: the shell forwards no SIGHUP."""
    argv = (sys.executable, "-c", BACKGROUND, *supervised(tmp_path / "state"))
    terminal = opened(*argv, controlling=True)
    terminal.until("ready\r\n")
    terminal.close()
    with pytest.raises(subprocess.TimeoutExpired):
        terminal.process.wait(NOTICED_SECONDS)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(END_SECONDS) == 0


def test_sighup_without_a_terminal_is_as_sigterm(tmp_path: Path) -> None:
    printed = tmp_path / "said"
    with printed.open("wb") as output:
        process = subprocess.Popen(
            supervised(tmp_path / "state"), cwd=ROOT, stdin=subprocess.DEVNULL, stderr=output
        )
    wait_until(lambda: "ready\n" in printed.read_text(), 30, what="ready")
    family = psutil.Process(process.pid).children(recursive=True)
    for _ in range(3):
        process.send_signal(signal.SIGHUP)
    assert process.wait(END_SECONDS) == 0
    assert gone(family)


def test_a_reader_that_has_gone_takes_the_words_only(tmp_path: Path) -> None:
    process = subprocess.Popen(
        supervised(tmp_path / "state"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "ready\n":
            break
    process.stdout.close()
    pids = tmp_path / "state" / "pids"
    before = pids.read_text()
    os.kill(int(before.split()[1]), signal.SIGKILL)  # which is told, to nobody
    wait_until(lambda: pids.read_text().count("\n") == 3 and pids.read_text() != before, 5, what="a new component")
    process.terminate()
    assert process.wait(END_SECONDS) == 0


@pytest.mark.parametrize("controlling", [True, False])
def test_a_terminal_closed_during_the_set_up_ends_it_at_once(
    opened: Open, tmp_path: Path, controlling: bool
) -> None:
    """Where it waits for a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        terminal = opened(
            *(sys.executable, "-m", "cli.main", "up"),
            controlling=controlling,
            XDG_CACHE_HOME=str(tmp_path / "cache"),
            HTTPS_PROXY=f"http://127.0.0.1:{silent.getsockname()[1]}",
            **settings(tmp_path),
        )
        terminal.until("jars of Apache Kafka")
        held = [silent.accept()[0] for _ in range(4)]
        closed = time.monotonic()
        terminal.close()
        assert terminal.process.wait(END_SECONDS) == 0
        assert time.monotonic() - closed < NOTICED_SECONDS
        assert list((tmp_path / "cache").rglob("part-*")) == []
        for connection in held:
            connection.close()


@pytest.mark.parametrize("controlling", [True, False])
@pytest.mark.parametrize("service", ["watch", "serve"])
def test_a_service_started_by_hand_ends_with_its_terminal(
    opened: Open, tmp_path: Path, service: str, controlling: bool
) -> None:
    """One that waits for its servers."""
    environment = settings(tmp_path) | {
        "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "CATALOGIZER_DATABASE__URL": "postgresql://nobody@127.0.0.1:9/nothing",
        "CATALOGIZER_GATEWAY__TOKEN_SECRET": SECRET,
    }
    argv = (sys.executable, "-m", "cli.main", service)
    terminal = opened(*argv, controlling=controlling, **environment)
    terminal.until("127.0.0.1")
    terminal.close()
    assert terminal.process.wait(END_SECONDS) == 0


def settings(folder: Path) -> dict[str, str]:
    """A platform without the demo library."""
    (folder / "films").mkdir()
    return {
        "CATALOGIZER_STATE_DIR": str(folder / "state"),
        "CATALOGIZER_GATEWAY__PORT": str(free_port()),
        "CATALOGIZER_PRODUCER__ROOTS": f'[{{"name":"films","library":"home","path":"{folder}/films"}}]',
    }


def test_as_cron_and_systemd_start_it(tmp_path: Path) -> None:
    """Nearly no environment, `/` as the folder, and no standard stream at all. `up` is stopped in its set-up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = MINIMAL | settings(tmp_path)
        environment |= {
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "HTTPS_PROXY": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "PYTHONPATH": str(ROOT),
        }
        script = f"exec {shlex.quote(sys.executable)} -m cli.main up <&- >&- 2>&-"
        process = subprocess.Popen(["/bin/sh", "-c", script], env=environment, cwd="/", start_new_session=True)
        connection, _ = silent.accept()
        streams = {number: str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in range(3)}
        process.terminate()
        assert process.wait(END_SECONDS) == 0
        assert streams == dict.fromkeys(range(3), "/dev/null")
        connection.close()


@pytest.mark.parametrize(
    "streams", ["</dev/null >/dev/null 2>&1", "<&- >&- 2>&-", "<&-", "2>&-", ">/dev/full 2>&1"]
)
def test_without_streams_it_comes_up_and_ends(tmp_path: Path, streams: str) -> None:
    script = f"exec {shlex.join(supervised(tmp_path / 'state'))} {streams}"
    environment = {**MINIMAL, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(["/bin/sh", "-c", script], env=environment, cwd="/", start_new_session=True)
    pids = tmp_path / "state" / "pids"
    wait_until(lambda: pids.exists() and pids.read_text().count("\n") == 3, 30, what="its components")
    process.terminate()
    assert process.wait(END_SECONDS) == 0
    assert "ValueError" not in "".join(path.read_text() for path in (tmp_path / "state" / "logs").iterdir())


@pytest.fixture
def user() -> Iterator[str]:
    """A user of the system for this test alone."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a user")
    name = f"catalogizer-{os.getpid()}"
    subprocess.run(["/usr/sbin/useradd", "--create-home", "--shell", "/bin/sh", name], check=True)
    yield name
    uid = pwd.getpwnam(name).pw_uid  # whose user still runs a process is not removed
    wait_until(
        lambda: not [p for p in psutil.process_iter(["uids"]) if p.info["uids"].real == uid],
        END_SECONDS,
        what="the user's processes to end",
    )
    subprocess.run(["/usr/sbin/userdel", "--remove", name], check=True, stderr=subprocess.DEVNULL)


def test_under_su_where_the_terminal_is_not_the_controlling_one(opened: Open, user: str) -> None:
    home = Path(pwd.getpwnam(user).pw_dir)
    code = "import os, time\nfrom cli.hang_up import noticed\nfrom cli.up.terminal import own_terminal\n"
    code += "import signal\nsignal.signal(signal.SIGHUP, lambda *_: open('told', 'w').close())\n"
    code += "with noticed(), own_terminal():\n  print('wait' + 'ing', flush=True)\n"
    code += "  while not os.path.exists('told'): time.sleep(0.05)\n"  # a pause may begin after the signal has come
    for name in ("cli/__init__.py", "cli/hang_up.py", "cli/up/__init__.py", "cli/up/terminal.py"):
        (home / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, home / name)
    (home / "code.py").write_text(code)
    terminal = opened("su", "-", user, "-c", "/usr/bin/python3 code.py", controlling=True)
    terminal.until("waiting")
    terminal.close()
    wait_until((home / "told").exists, NOTICED_SECONDS, what="the hang-up to be told")


def test_the_whole_platform_ends_with_a_terminal_that_does_not_control_it(opened: Open, tmp_path: Path) -> None:
    """`setsid make run`, and the window is closed."""
    # a `make` inside another one says at its end which folder it leaves, and fails where nobody can hear it
    terminal = opened("make", "--no-print-directory", "run", controlling=False, **settings(tmp_path))
    terminal.until("Catalogizer is ready", READY_SECONDS)
    family = psutil.Process(terminal.process.pid).children(recursive=True)
    assert len(family) >= 7
    closed = time.monotonic()
    terminal.close()
    code = terminal.process.wait(NOTICED_SECONDS + END_SECONDS)
    assert code == 0, terminal.output[-2_000:]
    print(f"ended {time.monotonic() - closed:.1f} s after its terminal")
    assert gone(family)
    assert not (tmp_path / "state" / "run.json").exists()
