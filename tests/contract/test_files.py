"""The producer's files, fake and real: one contract."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import xxhash

from producer.errors import RootFault
from producer.files import LocalFiles
from producer.ports import Files
from schemas.raw import FileType
from tests.fakes.producer_files import FakeFiles


@dataclass
class World:
    """Files, and a hand that makes things and takes them away behind their back."""

    files: Files
    make: Callable[[str, FileType, bytes], None]
    take: Callable[[str], None]


def real(folder: Path) -> World:
    root = folder / "root"
    root.mkdir()

    def make(path: str, type_: FileType, content: bytes) -> None:
        full = root / path
        match type_:
            case "file":
                full.write_bytes(content)
            case "dir":
                full.mkdir()
            case "symlink":
                full.symlink_to(".")
            case "other":
                os.mkfifo(full)

    def take(path: str) -> None:
        full = root / path
        full.rmdir() if full.is_dir() and not full.is_symlink() else full.unlink()

    return World(LocalFiles(root), make, take)


def fake(_folder: Path) -> World:
    files = FakeFiles()

    def take(path: str) -> None:
        del files.nodes[path]

    return World(files, files.make, take)


@pytest.fixture(params=[fake, real])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """One of both."""
    build: Callable[[Path], World] = request.param
    return build(tmp_path)


def test_each_kind_of_entry_is_told_apart_and_none_is_followed(world: World) -> None:
    kinds: list[FileType] = ["file", "dir", "symlink", "other"]
    for kind in kinds:
        world.make(kind, kind, b"x")
    with world.files.open() as tree:
        listing = tree.listing("") or []
        assert sorted((name, state.type) for name, state in listing) == sorted((kind, kind) for kind in kinds)
        assert all(tree.state(name) == state for name, state in listing)
        assert tree.listing("symlink") is None
        assert tree.fingerprint("symlink") is tree.fingerprint("other") is tree.fingerprint("dir") is None


def test_what_is_not_there_is_nothing(world: World) -> None:
    world.make("file", "file", b"x")
    with world.files.open() as tree:
        assert tree.state("nothing") is None
        assert tree.state("file/below") is None
        assert tree.listing("nothing") is None
        assert tree.listing("file") is None
        assert tree.fingerprint("nothing") is None


def test_an_entry_keeps_its_identity_until_it_is_replaced(world: World) -> None:
    world.make("a", "file", b"x")
    with world.files.open() as tree:
        before = tree.state("a")
        assert before == tree.state("a")
        world.make("b", "file", b"x")
        other = tree.state("b")
        assert before is not None
        assert other is not None
        assert before.inode != other.inode


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 196_608, 196_609, 1_000_000])
def test_a_fingerprint_is_of_the_size_and_the_first_middle_and_last_64_kib(world: World, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    world.make("a", "file", content)
    read = content if size <= 196_608 else (
        content[:65_536] + content[(size - 65_536) // 2 : (size - 65_536) // 2 + 65_536] + content[-65_536:]
    )  # fmt: skip
    with world.files.open() as tree:
        found, state = tree.fingerprint("a"), tree.state("a")
    assert found is not None
    assert state is not None
    assert found.of(state)
    assert found.xxh3 == xxhash.xxh3_128_hexdigest(size.to_bytes(8, "little") + read)


def test_the_same_content_has_the_same_fingerprint_and_another_length_another(world: World) -> None:
    for name, content in (("a", b"same"), ("b", b"same"), ("c", b"same\0")):
        world.make(name, "file", content)
    with world.files.open() as tree:
        prints = [found.xxh3 for name in "abc" if (found := tree.fingerprint(name)) is not None]
    assert prints[0] == prints[1] != prints[2]


def test_a_root_has_one_identity_and_may_be_empty(world: World) -> None:
    assert world.files.is_empty()
    with world.files.open() as one, world.files.open() as other:
        assert one.identity == other.identity
    world.make("a", "file", b"")
    assert not world.files.is_empty()


def test_a_root_that_is_gone_cannot_be_opened(world: World) -> None:
    world.take("")
    with pytest.raises(RootFault) as fault:
        world.files.open()
    assert fault.value.faulty.cause == "missing"


def test_a_root_that_is_a_file_cannot_be_opened(world: World) -> None:
    world.take("")
    world.make("", "file", b"")
    with pytest.raises(RootFault) as fault:
        world.files.open()
    assert fault.value.faulty.cause == "not_a_directory"
