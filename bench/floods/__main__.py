"""`python -m bench.floods`: the attacks one after the other (the slow ones together), against a gateway on brokers of its
own. `--markdown` writes the table of docs/security.md; exits with 1 where a bound is broken."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.__main__ import database
from bench.floods.attacks import ATTACKS
from bench.floods.peer import Target
from bench.floods.running import AttackOutcome, attackers, groups, measure
from bench.support import broker
from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from gateway.access.account_admin import ensure_admin
from tests.support.gateway import PASSWORD, gateway

SECONDS = 5.0


@contextmanager
def target() -> Iterator[Target]:
    """A running gateway, and its administrator's token."""
    with broker() as kafka, database() as url, tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        asyncio.run(apply(kafka))
        apply_migrations(url)
        asyncio.run(ensure_admin(url, PASSWORD))
        running = gateway(kafka, url, Path(folder))
        running.start()
        try:
            assert running.process is not None
            yield Target(running.port, running.process.pid, running.sign_in())
        finally:
            running.kill()


def rows(outcomes: list[AttackOutcome]) -> Iterator[tuple[str, ...]]:
    """The table, with its head."""
    yield "attack", "sent", "answers", "memory before, peak, after (MB)", "slowest /health (ms)"
    for outcome in outcomes:
        answers = ", ".join(f"{answer}" for answer, _ in outcome.answers.most_common())
        memory = f"{outcome.before:.0f}, {outcome.peak:.0f}, {outcome.after:.0f}"
        yield outcome.attack.name, outcome.attack.sent, answers, memory, f"{outcome.slowest * 1_000:.0f}"


def markdown(outcomes: list[AttackOutcome]) -> str:
    """The table for a document."""
    head, *body = (f"| {' | '.join(row)} |" for row in rows(outcomes))
    return "\n".join((head, "|---|---|---|---|---|", *body))


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each attack, at least")
    parser.add_argument("--only", metavar="NAME", choices=[attack.name for attack in ATTACKS])
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--markdown", action="store_true", help="for docs/security.md")
    given = parser.parse_args()
    chosen = tuple(attack for attack in ATTACKS if given.only in (None, attack.name))
    with target() as attacked, attackers() as attacker:
        outcomes = [
            outcome for group in groups(chosen) for outcome in measure(attacker, attacked, group, given.seconds)
        ]
    if given.json:
        head, *body = rows(outcomes)
        print(json.dumps([dict(zip(head, row, strict=True)) for row in body]))
    elif given.markdown:
        print(markdown(outcomes))
    else:
        for row in rows(outcomes):
            print("  ".join(f"{cell:{width}}" for cell, width in zip(row, (20, 64, 12, 32, 8), strict=True)))
    faults = [fault for outcome in outcomes for fault in outcome.faults()]
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
