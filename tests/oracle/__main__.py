"""`python -m tests.oracle`: plays seeds with the producer; failing sequences are shrunk and shown."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from cli.progress import Stages
from tests.oracle.people import People
from tests.oracle.run import play
from tests.oracle.shrink import shrink
from tests.oracle.steps import Step
from tests.oracle.ways import WAYS, Way


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one seed. `differences`: none when all was well; `steps`: the shortest failing sequence that was found."""

    seed: int
    operations: int
    seconds: float
    differences: list[str]
    steps: list[str]


def make_up(seed: int, operations: int, folder: Path) -> list[Step]:
    """A seed's sequence."""
    home = folder / f"made-up-{seed}"
    home.mkdir(parents=True)
    return People(seed, home).live(operations)


def try_seed(seed: int, operations: int, shrinking: bool, way: Way) -> Outcome:
    """Play a seed and shrink it if it fails."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="oracle-") as name:
        folder = Path(name)
        steps = make_up(seed, operations, folder)
        found = play(steps, folder / "play", way)
        if found and shrinking:
            end = int(found[0].split()[2].rstrip(":")) if found[0].startswith("at step") else len(steps)
            steps = shrink(steps[:end], lambda tried: bool(play(tried, folder / "play", way)))
            found = play(steps, folder / "play", way) or found
    return Outcome(seed, operations, time.monotonic() - began, found, [str(s) for s in steps] if found else [])


def main() -> int:
    """0 when no seed failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (200)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--operations", type=int, default=1_000, help="operations a seed (1000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    parser.add_argument(
        "--backend",
        choices=WAYS,
        default="inotify",
        help="what watches; share, server: an SMB share, worked on by a client or on its server (inotify)",
    )
    parser.add_argument("--no-shrink", action="store_true", help="show failing sequences at their full length")
    parser.add_argument("--json", action="store_true", help="the outcome of each seed, a JSON object a line")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    failed = []
    stages = Stages(hidden=given.json)
    with ProcessPoolExecutor(given.workers) as pool, stages.stage("seeds", given.seeds) as advance:
        tried = [
            pool.submit(try_seed, seed, given.operations, not given.no_shrink, given.backend) for seed in seeds
        ]
        for future in as_completed(tried):
            outcome = future.result()
            advance(1)
            failed += [outcome] if outcome.differences else []
            if given.json:
                print(json.dumps(asdict(outcome)), flush=True)
            elif outcome.differences:
                print(_shown(outcome), flush=True)
    if not given.json:
        print(f"{len(seeds) - len(failed)} of {len(seeds)} seeds converged, {given.operations} operations each")
    return 1 if failed else 0


def _shown(outcome: Outcome) -> str:
    lines = (*outcome.steps[:60], "--", *outcome.differences[:12])
    return "\n".join(
        [f"seed {outcome.seed} differs ({len(outcome.steps)} steps)", *(f"  {line}" for line in lines)]
    )


if __name__ == "__main__":
    sys.exit(main())
