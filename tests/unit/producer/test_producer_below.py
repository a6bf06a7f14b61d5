"""Opening paths below a directory, through that directory alone."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producer.backends.local import below
from producer.backends.local.below import open_below

ENTRY = os.O_PATH | os.O_NOFOLLOW


def by_the_kernel(_: pytest.MonkeyPatch) -> None:
    """In one call."""


def name_by_name(patch: pytest.MonkeyPatch) -> None:
    """As where the kernel is old, or the path too long for it."""
    patch.setattr(below, "_LONGEST", 0)


@pytest.fixture(params=[by_the_kernel, name_by_name])
def directory(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """`in/deep/file`, a link `out` to a directory elsewhere with `file` in it."""
    how: Callable[[pytest.MonkeyPatch], None] = request.param
    how(monkeypatch)
    for place in ("root/in/deep", "elsewhere"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "file").write_bytes(b"x")
    (tmp_path / "root" / "out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root" / "in" / "here").symlink_to("deep")
    descriptor = os.open(tmp_path / "root", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("path", ["", "in", "in/deep/file", "out"])
def test_what_is_there_is_opened_a_link_as_what_it_is(directory: int, path: str) -> None:
    os.close(open_below(directory, path, ENTRY))


@pytest.mark.parametrize("path", ["out/file", "in/here/file"])
def test_no_link_is_followed_wherever_it_leads(directory: int, path: str) -> None:
    with pytest.raises(OSError) as refused:
        open_below(directory, path, ENTRY)
    assert refused.value.errno in (errno.ELOOP, errno.ENOTDIR)


def test_what_is_not_there_raises(directory: int) -> None:
    with pytest.raises(FileNotFoundError):
        open_below(directory, "in/none/file", ENTRY)
