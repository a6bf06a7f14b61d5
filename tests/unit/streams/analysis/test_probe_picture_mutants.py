"""A broken picture has an answer in words, soon. More by hand: `python -m tests.support.picture_mutants COUNT SEED`."""

from __future__ import annotations

import io
import time
from itertools import islice

from streams.analysis import probe
from streams.analysis.wire import Request
from tests.support import picture_mutants
from tests.support.picture_mutants import SLOW_SECONDS, mutants, wrong


def test_every_whole_one_is_done() -> None:
    for name, data in picture_mutants.whole().items():
        reply = probe.probe(io.BytesIO(data), Request("image", name))
        assert reply.status == "done", (name, reply.reason)


def test_every_broken_one_has_an_answer_in_words_and_soon() -> None:
    for number, (name, data) in enumerate(islice(mutants(7), 600)):
        began = time.perf_counter()
        reply = probe.probe(io.BytesIO(data), Request("image", name))
        assert time.perf_counter() - began < SLOW_SECONDS, (number, name)
        assert wrong(reply) is None, (number, name)
