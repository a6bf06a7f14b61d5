"""What compiled code makes of stored records is what interpreted code makes of them, and nothing needs it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from aiokafka.errors import CorruptRecordException

from gateway.core.about import About
from gateway.log import compiled as loading
from gateway.log import compiling
from gateway.log.abouts import MAX_KNOWN
from gateway.log.compiled import Unpack, compiled
from runtime.chunked_records import Body
from tests.support.frames_fuzz import PLACE, Hand, framed, framers

SEEDS = 100


@pytest.fixture(scope="module")
def unpack() -> Unpack:
    try:
        compiling.command(compiling.compiler(), compiling.headers())
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    made = compiled()
    assert made is not None, "`make setup` compiles it where that is possible"
    return made


@pytest.mark.parametrize("legacy_payload", [False, True])
def test_the_frames_are_the_same_whatever_is_stored(unpack: Unpack, legacy_payload: bool) -> None:
    interpreted, fast = framers(unpack, legacy_payload=legacy_payload)
    sizes = []
    for seed in range(SEEDS):
        stored = Hand(seed).stored()
        wanted = framed(stored, interpreted)
        assert framed(stored, fast) == wanted, f"seed {seed}"
        assert wanted is not None
        sizes.append(len(wanted[0]))
    assert max(sizes) > 256  # of several chunks


def test_most_records_are_not_left_to_interpreted_code(unpack: Unpack) -> None:
    """Else the comparison above would be one of interpreted code with itself."""
    left = records = 0
    fast = framers(unpack, legacy_payload=True)[1]
    slow = fast._frame
    for seed in range(40):
        calls: list[None] = []
        fast._frame = lambda *of, calls=calls: (calls.append(None), slow(*of))[1]  # type: ignore[method-assign]
        made = framed(Hand(seed).stored(), fast)
        assert made is not None
        left, records = left + len(calls), records + len(made[0])
    assert 0.1 * records < left < 0.8 * records, (left, records)


def test_a_batch_that_is_not_packed_as_kafka_packs_them_is_refused(unpack: Unpack) -> None:
    fast = framers(unpack, legacy_payload=True)[1]
    for seed in range(SEEDS):
        framed(Hand(seed).stored(broken=True), fast)  # comes back
    for packed, count in ((b"", 1), (b"\x0a\x00", 1), (b"\x02\x00", 1), (b"\xff" * 12, 1), (b"x", 0)):
        body = Body(packed, count, 0, 0, None)
        if count:
            with pytest.raises(CorruptRecordException, match="packed"):
                list(fast._unpacked(unpack, PLACE, body, 0))
        else:
            with pytest.raises(ValueError, match="behind the last"):
                unpack((b"",) * 6, 0, {}, 0, packed, 0, 0, 0, 0, None)


def test_arguments_that_are_none_of_a_framer_are_refused(unpack: Unpack) -> None:
    with pytest.raises(ValueError, match="6 or 7"):
        unpack((b"",) * 5, 0, {}, 0, b"", 0, 0, 0, 0, None)
    for at in (-1, 1):
        with pytest.raises(ValueError, match="not a place"):
            unpack((b"",) * 6, 0, {}, 0, b"", at, 1, 0, 0, None)
    with pytest.raises(TypeError):
        unpack(("",) * 6, 0, {}, 0, b"", 0, 0, 0, 0, None)  # type: ignore[arg-type]


def test_what_is_remembered_of_abouts_is_bounded(unpack: Unpack) -> None:
    fast = framers(unpack, legacy_payload=False)[1]
    fast._known.update({b"%d" % n: About() for n in range(MAX_KNOWN)})
    for seed in range(20):
        framed(Hand(seed).stored(), fast)
    assert 0 < len(fast._known) < 1_000


def test_code_of_another_source_is_not_used(unpack: Unpack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "digest", lambda: "another")
    assert compiled() is None


def run(directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, compiling.__file__, str(directory)]
    return subprocess.run(argv, env=os.environ | environment, capture_output=True, text=True, check=False)


def test_without_a_compiler_one_line_says_so_and_nothing_old_is_left(tmp_path: Path) -> None:
    old = tmp_path / (compiling.MODULE + sysconfig.get_config_var("EXT_SUFFIX"))
    old.write_text("of another source")
    done = run(tmp_path, CC="no-such-compiler")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert "no C compiler `no-such-compiler`" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_compiler_that_fails_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\necho no space left >&2\nexit 3\n")
    broken.chmod(0o755)
    place = tmp_path / "place"
    place.mkdir()
    done = run(place, CC=str(broken))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == f"{broken} failed with 3: no space left"
    assert list(place.iterdir()) == []


def test_it_is_compiled_without_a_warning_and_once(unpack: Unpack, tmp_path: Path) -> None:
    strict = f"{compiling.compiler()} -Werror -Wconversion -Wno-error=missing-field-initializers"
    argv = [
        *strict.split(),
        *compiling.command(compiling.compiler(), compiling.headers())[1:],
        "-o",
        str(tmp_path / "x.so"),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "frames.c" not in done.stderr, done.stderr
    assert run(tmp_path).returncode == 0
    (made,) = tmp_path.glob(f"{compiling.MODULE}*")
    first = made.stat()
    assert run(tmp_path).returncode == 0
    assert made.stat() == first
