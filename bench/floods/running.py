"""Runs attacks from a process of their own, and watches the gateway meanwhile: its memory, and how long another client
waits for `/health`, less the time in which it or the gateway waited for a processor (somebody else's doing)."""

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
    """What an attack did. Memory is the gateway's, resident, in MB; `slowest`: the longest `/health`, seconds."""

    attack: Attack
    before: float
    peak: float
    after: float
    slowest: float
    answers: Counter[str]

    def faults(self) -> list[str]:
        """What is out of bounds, in words; empty when nothing is."""
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


class Ask(NamedTuple):
    """For the attackers' process."""

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
    """What runs together: each by itself, but those that take their time."""
    for attack in attacks:
        if not attack.seconds:
            yield (attack,)
    if slow := tuple(attack for attack in attacks if attack.seconds):
        yield slow


def measure(
    attacker: Connection, target: Target, attacks: Sequence[Attack], seconds: float
) -> list[AttackOutcome]:
    """Run `attacks` at the same time, each for `seconds` or as long as it needs. They come from an address of their own:
    connections of those before, which the gateway does not know yet to be gone, count for others."""
    target = replace(target, attacker=f"127.0.0.{2 + ATTACKS.index(attacks[0])}")
    seconds = max([seconds, *(attack.seconds for attack in attacks)])
    _health(target)
    before = peak = resident_mb(target.pid)
    slowest = 0.0
    attacker.send(Ask(target, tuple(attack.name for attack in attacks), seconds))
    while not attacker.poll(PROBE_SECONDS):
        slowest = max(slowest, _health(target))
        peak = max(peak, resident_mb(target.pid))
    answers: dict[str, Counter[str]] = attacker.recv()
    time.sleep(SETTLE_SECONDS)
    after = resident_mb(target.pid)
    return [AttackOutcome(attack, before, peak, after, slowest, answers[attack.name]) for attack in attacks]


def _health(target: Target) -> float:
    """Seconds from the first byte of a new connection to the whole answer, in which processors were to be had."""
    began, before = time.monotonic(), waited(target.pid) + waited(os.getpid())
    with socket.create_connection(("127.0.0.1", target.port), timeout=ANSWER_SECONDS) as probe:
        probe.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        heard = b""
        while data := probe.recv(4_096):
            heard += data
    if not heard.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"/health answered {heard[:100]!r}")
    return max(0.0, time.monotonic() - began - (waited(target.pid) + waited(os.getpid()) - before))


def waited(pid: int) -> float:
    """Seconds that a process, ready to run, has waited for a processor (Linux: Documentation/scheduler/sched-stats)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def _attack(pipe: Connection) -> None:
    while True:
        ask: Ask = pipe.recv()
        pipe.send(asyncio.run(_together(ask)))


async def _together(ask: Ask) -> dict[str, Counter[str]]:
    until = time.monotonic() + ask.seconds
    running = (BY_NAME[name].run(ask.target, until) for name in ask.names)
    found = await asyncio.wait_for(asyncio.gather(*running), ask.seconds + 3 * END_SECONDS)
    return dict(zip(ask.names, found, strict=True))
