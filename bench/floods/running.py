"""Runs attacks from a process of their own, and measures the gateway meanwhile: its memory, and how long another client
waits for `/health`, less the time in which either of them waited for a processor (which other processes cause)."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from bench.floods.attacks import ATTACKS, END_SECONDS, Attack
from bench.floods.peer import Target
from bench.support import resident_mb

SETTLE_SECONDS = 0.5
PROBE_SECONDS = 0.02
ANSWER_SECONDS = 30.0
BY_NAME = {attack.name: attack for attack in ATTACKS}


@dataclass(frozen=True, slots=True)
class AttackOutcome:
    """The effect of an attack. Memory is the gateway's, resident, in MB; `slowest`: the longest `/health`, seconds."""

    attack: Attack
    before: float
    peak: float
    after: float
    slowest: float
    answers: Counter[str]

    def faults(self) -> list[str]:
        """What is out of bounds, for people; empty when nothing is."""
        attack, found = self.attack, []
        if self.peak - self.before > attack.memory_mb:
            found.append(f"memory rose by {self.peak - self.before:.0f} MB, not {attack.memory_mb:.0f}")
        if self.slowest > attack.health_seconds:
            found.append(f"/health took {self.slowest * 1_000:.0f} ms, not {attack.health_seconds * 1_000:.0f}")
        if not self.answers:
            found.append("nothing was answered")
        if others := set(self.answers) - set(attack.answers):
            found.append(f"answered {', '.join(sorted(others))}, not {' or '.join(attack.answers)}")
        if missing := set(attack.must) - set(self.answers):
            found.append(f"nobody was answered {', '.join(sorted(missing))}: that bound was not met")
        return [f"{attack.name}: {fault}" for fault in found]


class Assignment(NamedTuple):
    """What the attackers' process is to do."""

    target: Target
    names: tuple[str, ...]
    seconds: float


@contextmanager
def attackers() -> Iterator[Connection]:
    """The attackers' process; ends with the context."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_attack, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        process.kill()
        process.join()


def groups(attacks: tuple[Attack, ...]) -> Iterator[tuple[Attack, ...]]:
    """What runs together: the slow attacks; each other one by itself."""
    for attack in attacks:
        if not attack.seconds:
            yield (attack,)
    if slow := tuple(attack for attack in attacks if attack.seconds):
        yield slow


def measure(
    attacker: Connection, target: Target, attacks: Sequence[Attack], seconds: float
) -> list[AttackOutcome]:
    """Run `attacks` at the same time, each for `seconds` or as long as it needs. They use an address of their own, so that
    closed connections of earlier attacks, which the gateway still counts, do not count for them."""
    target = replace(target, attacker=f"127.0.0.{2 + ATTACKS.index(attacks[0])}")
    seconds = max([seconds, *(attack.seconds for attack in attacks)])
    _health(target)
    before = peak = resident_mb(target.pid)
    slowest = 0.0
    attacker.send(Assignment(target, tuple(attack.name for attack in attacks), seconds))
    while not attacker.poll(PROBE_SECONDS):
        slowest = max(slowest, _health(target))
        peak = max(peak, resident_mb(target.pid))
    answers: dict[str, Counter[str]] = attacker.recv()
    time.sleep(SETTLE_SECONDS)
    after = resident_mb(target.pid)
    return [AttackOutcome(attack, before, peak, after, slowest, answers[attack.name]) for attack in attacks]


def _health(target: Target) -> float:
    """Seconds from the first byte of a new connection to the whole answer, without the time of waiting for a processor."""
    began, before = time.monotonic(), waited(target.pid) + waited(os.getpid())
    with socket.create_connection(("127.0.0.1", target.port), timeout=ANSWER_SECONDS) as probe:
        probe.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        while data := probe.recv(4_096):
            received += data
    if not received.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"/health answered {received[:100]!r}")
    return max(0.0, time.monotonic() - began - (waited(target.pid) + waited(os.getpid()) - before))


def waited(pid: int) -> float:
    """Seconds that a process, ready to run, has waited for a processor (Linux: Documentation/scheduler/sched-stats)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def _attack(pipe: Connection) -> None:
    while True:
        assignment: Assignment = pipe.recv()
        pipe.send(asyncio.run(_together(assignment)))


async def _together(assignment: Assignment) -> dict[str, Counter[str]]:
    until = time.monotonic() + assignment.seconds
    running = (BY_NAME[name].run(assignment.target, until) for name in assignment.names)
    found = await asyncio.wait_for(asyncio.gather(*running), assignment.seconds + 3 * END_SECONDS)
    return dict(zip(assignment.names, found, strict=True))
