"""The golden log and its outputs as files: how they are written, once, and read.

`python -m tests.golden.fold.recording` writes the outputs of the present version of the fold, if there are none.
The log itself (`log.jsonl`, 500 records of every kind) stays for ever: it was drawn once from a little world.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from streams.core.emit import Output
from streams.core.rules import RULES_1
from tests.support.refold import Stored, digest, folded, read_lines

HERE = Path(__file__).parent
LOG = HERE / "log.jsonl"
OUTPUTS = HERE / f"v{RULES_1.version}.outputs.jsonl"


def recorded() -> list[Stored]:
    """The log."""
    return list(read_lines(LOG.read_text().splitlines()))


def shown(outputs: list[Output]) -> Iterator[str]:
    """Outputs as JSON lines: topic, partition, key, headers that vary, value; last the digest of all of them."""
    for output in outputs:
        headers = {
            name: value.decode()
            for name, value in output.headers
            if name in ("ce_id", "ce_time", "x-source", "x-n")
        }
        value = None if output.value is None else output.value.decode()
        yield json.dumps([output.topic.name, output.partition, output.key.decode(), headers, value])
    yield json.dumps([digest(outputs)])


def main() -> None:
    """Write what is expected of this version. Never over what is there."""
    with OUTPUTS.open("x") as file:
        file.writelines(f"{line}\n" for line in shown(folded(recorded())))


if __name__ == "__main__":
    main()
