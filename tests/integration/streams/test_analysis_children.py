"""A probe always ends in a reply, whatever the file does to the child, and the next file has a child again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from schemas.found import MediaType
from streams.analysis.children import Children
from streams.analysis.wire import Reply, Request
from streams.settings import AnalysisSettings
from tests.support import media
from tests.support.processes import descriptors, file_size_limit, network
from tests.support.waiting import wait_until

Body = Callable[[Children], Awaitable[None]]
SETTINGS = AnalysisSettings(workers=1, seconds=20)


def pooled(body: Body, settings: AnalysisSettings = SETTINGS) -> None:
    async def main() -> None:
        children = Children(settings)
        await children.start()
        try:
            await body(children)
        finally:
            await children.stop()

    asyncio.run(main())


async def probe(children: Children, path: Path, request: Request) -> Reply:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return await children.probe(request, descriptor)
    finally:
        os.close(descriptor)


def child_pids() -> list[int]:
    """Of the probing children of this process."""
    return [child.pid for child in psutil.Process().children() if "streams.analysis.child" in child.cmdline()]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "good.jpg"
    path.write_bytes(media.picture(64, 64))
    return path


async def works(children: Children, photo: Path) -> bool:
    return (await probe(children, photo, Request("image", "good.jpg"))).status == "done"


def test_one_child_probes_many_files(photo: Path) -> None:
    async def body(children: Children) -> None:
        before = child_pids()
        assert [await works(children, photo) for _ in range(20)] == [True] * 20
        assert child_pids() == before

    pooled(body)


def test_more_files_than_children_wait_their_turn(photo: Path) -> None:
    async def body(children: Children) -> None:
        assert all(await asyncio.gather(*(works(children, photo) for _ in range(12))))

    pooled(body, AnalysisSettings(workers=2))


def test_a_child_killed_in_the_middle_is_a_failed_probe_and_the_next_works(tmp_path: Path, photo: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def body(children: Children) -> None:
        (pid,) = child_pids()
        writer = os.open(pipe, os.O_RDWR)  # open for writing and silent: the child waits for it
        task = asyncio.create_task(probe(children, pipe, Request("audio", "x.mp3")))
        await asyncio.to_thread(_until_reading, pid)
        os.kill(pid, signal.SIGKILL)
        assert (await task).reason == "the probe was ended by SIGKILL"
        os.close(writer)
        assert await works(children, photo)

    pooled(body)


def _until_reading(pid: int) -> None:
    """The child has taken a descriptor beyond its socket and the standard three."""
    wait_until(lambda: descriptors(pid) > 4, 5, what="the child to have the file")


def test_a_child_that_waits_for_ever_is_ended_in_time(tmp_path: Path, photo: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def body(children: Children) -> None:
        keeper = os.open(pipe, os.O_RDWR)  # open for writing and silent: the child waits for it
        reply = await probe(children, pipe, Request("audio", "x.mp3"))
        assert reply.reason == "probing it took longer than 2 s"
        os.close(keeper)
        assert await works(children, photo)

    pooled(body, AnalysisSettings(workers=1, seconds=2))


def test_a_child_that_died_while_idle_is_nobodys_fault(photo: Path) -> None:
    async def body(children: Children) -> None:
        (pid,) = child_pids()
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(psutil.Process(pid).wait, 5)
        assert await works(children, photo)

    pooled(body)


def test_a_file_that_wants_too_much_memory_fails(tmp_path: Path, photo: Path) -> None:
    bmp = tmp_path / "a.bmp"
    side = 8_900  # below the cap on pixels, and twice that in memory for the copies a thumbnail takes
    header = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 54, 0, 0, 54, 40, side, side, 1, 32, 0, 0, 0, 0, 0, 0)
    bmp.write_bytes(header)
    os.truncate(bmp, 54 + side * side * 4)

    async def body(children: Children) -> None:
        reply = await probe(children, bmp, Request("image", "a.bmp"))
        assert (reply.status, reply.picture) in (("done", None), ("failed", None))
        assert await works(children, photo)

    pooled(body, AnalysisSettings(workers=1, memory_mb=256, seconds=10))


def test_a_bomb_ends_within_its_limits(tmp_path: Path, photo: Path) -> None:
    bomb = media.zip_bomb(tmp_path / "a.epub", 50_000_000)

    async def body(children: Children) -> None:
        assert (await probe(children, bomb, Request("book", "a.epub"))).status == "failed"
        assert await works(children, photo)

    pooled(body)


def test_a_child_cannot_reach_the_network_or_write_files() -> None:
    async def body(children: Children) -> None:
        (pid,) = child_pids()
        assert file_size_limit(pid) == "0"
        if os.geteuid() == 0:  # elsewhere it depends on the kernel's configuration
            assert network(pid) != network()

    pooled(body)


def test_every_kind_of_file_is_read_under_the_limits(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(media.picture(64, 64))
    files: list[tuple[Path, MediaType]] = [
        (media.video(tmp_path / "a.mkv", 0.2), "video"),
        (media.song(tmp_path / "a.mp3", 0.2), "audio"),
        (media.book(tmp_path / "a.epub"), "book"),
        (tmp_path / "a.jpg", "image"),
    ]

    async def body(children: Children) -> None:
        replies = [await probe(children, path, Request(kind, path.name)) for path, kind in files]
        assert [(reply.status, reply.reason, reply.picture is not None) for reply in replies] == [
            ("done", None, True)
        ] * 4

    pooled(body)


CONFINED = """
import sys
from streams.analysis import child, limits
limits.confine(2**30)
if not limits.forget_files(child.libraries()):
    sys.exit("no Landlock")
import encodings.utf_16
try:
    open(sys.argv[1])
except PermissionError:
    sys.exit("refused")
sys.exit("opened")
"""


def test_a_child_can_open_no_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    ended = subprocess.run(
        [sys.executable, "-c", CONFINED, str(tmp_path / "secret")], stderr=subprocess.PIPE, text=True, check=False
    )
    assert ended.stderr.strip() in ("refused", "no Landlock")  # the latter depends on the kernel's configuration


def test_no_child_outlives_its_parent(tmp_path: Path) -> None:
    pids: list[int] = []
    ours, theirs = socket.socketpair()

    parent = os.fork()
    if parent == 0:

        async def main() -> None:
            children = Children(SETTINGS)
            await children.start()
            theirs.send(struct.pack("i", child_pids()[0]))
            await asyncio.Event().wait()

        try:
            asyncio.run(main())
        finally:
            os._exit(1)
    pids = list(struct.unpack("i", ours.recv(4)))
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=5)
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)
    ours.close()
    theirs.close()
