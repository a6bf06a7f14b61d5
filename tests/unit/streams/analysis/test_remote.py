"""A file that a child reads over a socket is the file."""

from __future__ import annotations

import io
import os
import random
import socket
import threading
from collections.abc import Iterator

import pytest

from storage.errors import Unreadable
from streams.analysis import remote

CONTENT = random.Random(7).randbytes(900_001)


class Held:
    """A file in memory, part of which cannot be read."""

    bad_from = len(CONTENT)

    def read(self, length: int, start: int) -> bytes:
        if start + length > self.bad_from:
            raise Unreadable("a", "a bad sector")
        return CONTENT[start : start + length]


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def file(held: Held) -> Iterator[io.BufferedReader]:
    ours, theirs = socket.socketpair()
    serving = threading.Thread(target=remote.serve, args=(ours, held))
    serving.start()
    with remote.opened(theirs.detach(), len(CONTENT)) as file:
        yield file
    serving.join(5)
    assert not serving.is_alive()


def test_it_reads_whole(file: io.BufferedReader) -> None:
    assert file.read() == CONTENT


def test_it_is_read_anywhere(file: io.BufferedReader) -> None:
    draw = random.Random(11)
    for _ in range(200):
        start, length = draw.randrange(len(CONTENT) + 10), draw.randrange(300_000)
        assert file.seek(start) == start == file.tell()
        assert file.read(length) == CONTENT[start : start + length]


def test_its_end_is_where_it_was_when_it_was_opened(file: io.BufferedReader) -> None:
    assert file.seek(-10, os.SEEK_END) == len(CONTENT) - 10
    assert file.read(100) == CONTENT[-10:]
    assert file.read(1) == b""


def test_a_piece_that_cannot_be_read_is_an_error_of_the_disk_and_others_can(
    held: Held, file: io.BufferedReader
) -> None:
    held.bad_from = 500_000
    file.seek(600_000)
    with pytest.raises(OSError, match="Input/output error"):
        file.read(10)
    file.seek(0)
    assert file.read(10) == CONTENT[:10]


def test_where_nobody_answers_any_more_it_is_an_error_of_the_disk() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    with remote.opened(theirs.detach(), 10) as file, pytest.raises(OSError):
        file.read(1)
