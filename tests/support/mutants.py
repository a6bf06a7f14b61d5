"""Files that were whole: cut at any place, bytes turned over, parts repeated, left out, filled with nothing, or put into one
another. The same seed makes the same mutants."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

EXTREMES = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\0\0\0\1",
    b"\1" + bytes(7),
)
HEAD = 4_096
"""Half of the changes are made here: containers have their headers at the beginning."""


def mutants(files: Sequence[bytes], seed: int, count: int) -> Iterator[tuple[int, bytes]]:
    """Each with the number of the file that it was."""
    chance = random.Random(seed)
    for _ in range(count):
        number = chance.randrange(len(files))
        data = bytearray(files[number])
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            _change(data, chance, files[chance.randrange(len(files))])
        yield number, bytes(data)


def _change(data: bytearray, chance: random.Random, other: bytes) -> None:
    at = _place(data, chance)
    length = min(1 << chance.randrange(14), len(data) - at)
    match chance.randrange(7):
        case 0:
            del data[at:]
        case 1:
            for _ in range(chance.randrange(1, 20)):
                place = _place(data, chance)
                data[place : place + 1] = bytes([chance.randrange(256)])
        case 2:
            data[at:at] = data[at : at + length]
        case 3:
            del data[at : at + length]
        case 4:
            data[at : at + length] = bytes(length)
        case 5:
            begin = chance.randrange(len(other) + 1)
            data[at : at + length] = other[begin : begin + length]
        case _:
            extreme = chance.choice(EXTREMES)
            data[at : at + len(extreme)] = extreme


def _place(data: bytearray, chance: random.Random) -> int:
    return chance.randrange(min(len(data), HEAD) + 1) if chance.random() < 0.5 else chance.randrange(len(data) + 1)
