"""A process requested to stop ends: with 0 when it drains in time, hard when it does not. `nohup` is respected."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import asyncio, time
from runtime.lifecycle import run

async def main(stop):
    print("ready", flush=True)
    await stop.wait()
    {end}

run(main, end_seconds=0.5)
"""
DRAINS = "await asyncio.sleep(0.05)"
BLOCKS = "time.sleep(60)"
SWALLOWS = """
    async def deaf():
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass
    asyncio.create_task(deaf())
    await asyncio.sleep(0)
"""


@pytest.mark.parametrize(("end", "code"), [(DRAINS, 0), (BLOCKS, 70), (SWALLOWS, 70)])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_asked_to_stop_a_process_ends_in_time_whatever_it_does(
    end: str, code: int, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(end=end.strip())], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        requested = time.monotonic()
        process.send_signal(number)
        assert process.wait(10) == code
        assert time.monotonic() - requested < 5
    finally:
        process.kill()
        process.communicate()


TWICE = """
import os, signal
signal.signal(signal.SIGHUP, signal.{before})
import asyncio
from runtime.lifecycle import run

async def main(stop):
    os.kill(os.getpid(), signal.SIGHUP)
    print(await stop.wait(0.2), flush=True)
    os.kill(os.getpid(), signal.SIGHUP)

run(main)
os.kill(os.getpid(), signal.SIGHUP)
"""


@pytest.mark.parametrize(("before", "stopped"), [("SIG_IGN", "False"), ("SIG_DFL", "True")])
def test_a_hang_up_sent_repeatedly_requests_one_stop_and_none_where_it_was_ignored(
    before: str, stopped: str
) -> None:
    done = subprocess.run([sys.executable, "-c", TWICE.format(before=before)], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, stopped)
