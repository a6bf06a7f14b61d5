"""A file is opened below its root and nowhere else, and only when it is the one that was meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.identity import Stamp, stamp_of
from streams.analysis.files import Unprobeable, open_below, stamp
from tests.support.media import state_of
from tests.support.processes import descriptors

NONE = Stamp(0, 0, 0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "b.mkv").write_bytes(b"film")
    return root


def reason(root: Path, path: str, expected: Stamp = NONE) -> str:
    with pytest.raises(Unprobeable) as caught:
        os.close(open_below(root, path, expected))
    return caught.value.reason


def test_the_file_that_was_meant_is_opened(root: Path) -> None:
    expected = stamp_of(state_of(root / "a" / "b.mkv"))
    descriptor = open_below(root, "a/b.mkv", expected)
    assert (os.read(descriptor, 10), stamp(descriptor)) == (b"film", expected)
    os.close(descriptor)


def test_a_name_that_is_not_utf8_is_opened(root: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mkv")
    (root / name).write_bytes(b"x")
    os.close(open_below(root, name, stamp_of(state_of(root / name))))


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "/etc/passwd", "", "a//b.mkv", ".", "a/b.mkv\0"])
def test_a_path_that_leads_out_is_refused(root: Path, path: str) -> None:
    assert reason(root, path) == "the path leads out of its root"


def test_no_symbolic_link_is_followed(root: Path) -> None:
    (root / "link").symlink_to(root.parent / "secret")
    (root / "way").symlink_to(root.parent)
    assert reason(root, "link") == "not a regular file"
    assert reason(root, "way/secret") == "the file is not there any more"


def test_a_pipe_does_not_hang(root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert reason(root, "pipe") == "not a regular file"
    assert reason(root, "a") == "not a regular file"


def test_what_vanished_or_changed_is_unreadable(root: Path) -> None:
    expected = stamp_of(state_of(root / "a" / "b.mkv"))
    (root / "a" / "b.mkv").write_bytes(b"other film")
    assert reason(root, "a/b.mkv", expected) == "the file has changed since the job was asked"
    (root / "a" / "b.mkv").unlink()
    assert reason(root, "a/b.mkv", expected) == "the file is not there any more"
    assert reason(root / "gone", "a/b.mkv").startswith("the root cannot be opened")


def test_no_descriptor_is_left_open(root: Path) -> None:
    before = descriptors()
    for path in ("a/b.mkv", "a/none/x", "pipe", "../x", "a"):
        reason(root, path)
    assert descriptors() == before
