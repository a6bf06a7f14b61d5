"""The table of the watching bench: of several runs the least and the median, of what must not happen the most."""

from __future__ import annotations

import json
from dataclasses import replace

from bench.watching.judging import Judgement
from bench.watching.running import OURS, Outcome
from bench.watching.table import for_a_document, for_machines, rows

OURS_ONCE = Outcome("untar", OURS, 9, 20, Judgement((), ()), 0, 2.0, 0.4, 1.5, 3.0, 80.0, 30_000)
PLAIN = Outcome("untar", "inotifywait", 9, 40, Judgement((b"a",), ()), 0, 0.2, None, 1.0, 3.0, 5.0)


def test_a_document_has_a_row_for_each_workload() -> None:
    worse = replace(OURS_ONCE, judgement=Judgement((b"a",), ()), cpu=4.0, seconds=2.5, peak=20_000)
    table = rows([OURS_ONCE, PLAIN, worse, OURS_ONCE], absent=["watchdog"])
    head, _, row = for_a_document(table)
    assert dict(zip(head.split(" | "), row.split(" | "), strict=True)) == {
        "| workload": "| untar",
        "entries": "9",
        "raw events": "20 / 20",
        "missed": "1",
        "invented": "0",
        "gaps": "0",
        "CPU s": "2.00 / 2.00",
        "watch thread s (× inotifywait)": "0.40 / 0.40 (2.0)",
        "to convergence s": "1.5 / 1.5",
        "peak MB": "80 / 80",
        "peak events/s": "30,000 / 30,000",
        "inotifywait missed, invented": "1, 0",
        "watchdog missed, invented |": "not here |",
    }


def test_json_has_each_run() -> None:
    decoded = json.loads(for_machines(rows([OURS_ONCE, OURS_ONCE]), "a tree", {"limit": 1.0}))
    assert (decoded["tree"], decoded["limits"], len(decoded["rows"][0]["runs"])) == ("a tree", {"limit": 1.0}, 2)
