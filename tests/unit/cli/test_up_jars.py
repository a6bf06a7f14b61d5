"""A jar that is used is the pinned one: damage is noticed and mended, what is wrong at the source is refused."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console

from cli.up.embedded import jars
from cli.up.embedded.jars import Jar, locked, obtain
from cli.up.errors import BrokenState, DiskFull, JarsUnavailable
from cli.up.output import SetupOutput

CONTENTS = {f"part{n}": f"contents of {n}".encode() * 100 for n in range(5)}
JARS = tuple(
    Jar("org.example", name, "1.0", hashlib.sha256(data).hexdigest(), len(data)) for name, data in CONTENTS.items()
)


class Source:
    """A repository in memory that counts what it served."""

    def __init__(self, **other: bytes) -> None:
        self.served: list[str] = []
        self._contents = CONTENTS | other

    def __call__(self, jar: Jar, folder: Path, advance: Callable[[int], None]) -> Path:
        path = folder / "deep" / jar.filename
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self._contents[jar.artifact])
        advance(jar.size)
        self.served.append(jar.artifact)
        return path


@pytest.fixture
def reported() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def output(reported: io.StringIO) -> SetupOutput:
    return SetupOutput(Console(file=reported))


def test_what_is_missing_is_fetched_once(tmp_path: Path, output: SetupOutput) -> None:
    source = Source()
    paths = obtain(JARS, tmp_path, output, source)
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())
    assert obtain(JARS, tmp_path, output, source) == paths
    assert sorted(source.served) == sorted(CONTENTS)


@pytest.mark.parametrize("damage", [b"", CONTENTS["part2"][:-1], CONTENTS["part2"][:-1] + b"?"])
def test_a_damaged_jar_is_reported_and_fetched_again(
    tmp_path: Path, output: SetupOutput, reported: io.StringIO, damage: bytes
) -> None:
    obtain(JARS, tmp_path, output, Source())
    (tmp_path / "part2-1.0.jar").write_bytes(damage)
    source = Source()
    obtain(JARS, tmp_path, output, source)
    assert source.served == ["part2"]
    assert "part2-1.0.jar in the cache is damaged" in reported.getvalue()


def test_a_wrong_hash_at_the_source_is_refused_and_nothing_of_it_is_kept(
    tmp_path: Path, output: SetupOutput
) -> None:
    with pytest.raises(JarsUnavailable, match=r"org\.example:part3:1\.0 .* does not have the pinned SHA-256"):
        obtain(JARS, tmp_path, output, Source(part3=b"something else"))
    assert not (tmp_path / "part3-1.0.jar").exists()
    assert list(tmp_path.glob("part-*")) == []


def test_several_at_once_fetch_each_jar_once(tmp_path: Path, output: SetupOutput) -> None:
    source = Source()
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: obtain(JARS, tmp_path, output, source), range(6)))
    assert len(set(found)) == 1
    assert sorted(source.served) == sorted(CONTENTS)


def test_what_a_killed_download_left_is_cleared(tmp_path: Path, output: SetupOutput) -> None:
    (tmp_path / "part-left").mkdir()
    (tmp_path / "part-left" / "half.jar").write_bytes(b"ha")
    obtain(JARS, tmp_path, output, Source())
    assert list(tmp_path.glob("part-*")) == []


def test_all_of_kafka_in_the_lock_file_is_of_one_version() -> None:
    versions = {jar.version for jar in locked(jars.SERVER, jars.TOOLS) if jar.group == "org.apache.kafka"}
    assert len(versions) == 1


def test_a_broken_lock_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "jars.lock"
    path.write_text("server org.example:x:1 abc\n")
    with pytest.raises(BrokenState, match="not a lock file of jars"):
        locked(jars.SERVER, path=path)


def test_a_full_disk_is_reported_before_anything_is_fetched(tmp_path: Path, output: SetupOutput) -> None:
    source = Source()
    with pytest.raises(DiskFull, match="the disk is full"):
        obtain([Jar("org.example", "part0", "1.0", "0" * 64, 10**18)], tmp_path, output, source)
    assert not source.served
