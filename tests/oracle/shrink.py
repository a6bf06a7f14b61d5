"""Makes a failing sequence short: leaves out whatever is not needed for the failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.oracle.steps import Step

Fails = Callable[[list[Step]], bool]


def shrink(steps: list[Step], fails: Fails) -> list[Step]:
    """A sequence that still fails, of which no single step can be left out."""
    steps = _chunks(steps, fails)
    for number, step in enumerate(steps):
        if step.within and step.action != "kill":
            plain = [*steps[:number], replace(step, within=0), *steps[number + 1 :]]
            steps = plain if fails(plain) else steps
    return _chunks(steps, fails)


def _chunks(steps: list[Step], fails: Fails) -> list[Step]:
    size = max(1, len(steps) // 2)
    while True:
        before = len(steps)
        at = 0
        while at < len(steps):
            shorter = steps[:at] + steps[at + size :]
            if shorter and fails(shorter):
                steps = shorter
            else:
                at += size
        if size == 1 and len(steps) == before:
            return steps
        size = max(1, size // 2)
