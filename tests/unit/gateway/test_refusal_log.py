"""A flood of refusals does not fill the disk: a line a second for each reason, short, and the others counted."""

from __future__ import annotations

import time

from structlog.testing import capture_logs

from gateway.access.refusal_log import SECONDS, SHOWN_CHARACTERS, RefusalLog
from tests.support.waiting import wait_until


def test_a_line_a_second_for_each_reason_and_the_others_counted() -> None:
    refusals = RefusalLog()
    began = time.monotonic()
    with capture_logs() as logged:
        for _ in range(1_000):
            refusals.refused("origin", origin="x" * 10_000)
            refusals.refused("host")
        at_once = list(logged)
        wait_until(lambda: time.monotonic() - began > SECONDS, 5, what="a second")
        refusals.refused("origin", origin="y")
    assert [line["why"] for line in at_once] == ["origin", "host"]
    assert at_once[0]["origin"] == "x" * SHOWN_CHARACTERS
    assert (logged[-1]["origin"], logged[-1]["unlogged"]) == ("y", 999)
