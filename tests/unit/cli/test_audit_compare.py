"""What is a difference, and what explains one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.audit import reasons
from cli.audit.announced import AnnouncedGap
from cli.audit.belief import OpenScan, RootBelief
from cli.audit.believed_tree import BelievedTree
from cli.audit.comparing import CatalogueLook, differing_fields, unlike_disk, what_of_catalogue, what_of_disk
from cli.audit.findings import Difference, PathState, Severity
from cli.audit.reasons import CatalogueProgress, Circumstances
from cli.audit.showing import PENDING_SHOWN, Brief, line
from cli.audit.walking import Disk
from producer.backends.local.backend import LocalBackend
from producer.backends.local.tree import LocalTree
from producer.errors import Unreadable
from producer.settings import RootSpec
from schemas.raw import FileState, FileType
from tests.support.producer_root import put, weird

FILE = PathState("file", 5, 7)


def tree_of(**entries: FileType) -> BelievedTree:
    tree = BelievedTree()
    for name, type_ in entries.items():
        tree.put(name.replace("__", "/"), FileState(type_, 5, 7, 1, 2), 1, 1)
    return tree


def test_log_and_disk_differ_where_one_has_what_the_other_has_not_or_something_else() -> None:
    tree = tree_of(a="file", b="file", c="file", d="dir")
    disk = {"a": FILE, "b": PathState("file", 6, 7), "d": PathState("dir"), "e": FILE}
    assert unlike_disk(tree, disk, []) == {"b", "c", "e"}
    assert [what_of_disk(a, b) for a, b in ((FILE, None), (None, FILE), (FILE, PathState("dir")), (FILE, FILE))] == [
        "phantom", "missing", "changed", None,
    ]  # fmt: skip


def test_nothing_is_reported_of_what_could_not_be_read() -> None:
    assert unlike_disk(tree_of(d="dir", d__a="file", da="file"), {"d": PathState("dir")}, ["d"]) == {"da"}


def test_rows_come_in_any_order_and_each_is_looked_at_once() -> None:
    look = CatalogueLook(tree_of(a="file", b="file", c="file"))
    for path, seen in (("c", PathState("file", 5, 8)), ("x", FILE), ("a", FILE)):
        look.row(path, seen)
    assert look.differing() == {"b", "c", "x"}
    assert [what_of_catalogue(a, b) for a, b in ((FILE, None), (None, FILE), (FILE, PathState("dir")), (FILE, FILE))] == [
        "not_in_catalogue", "only_in_catalogue", "catalogue_differs", None,
    ]  # fmt: skip


def test_what_differs_is_named_by_field() -> None:
    assert differing_fields(FILE, PathState("file", 6, 8)) == ("size", "mtime_ns")
    assert differing_fields(FILE, PathState("dir")) == ("type",)
    assert differing_fields(FILE, None) == ()


# -- reasons ---------------------------------------------------------------------------------------------------


def case(**more: Any) -> Circumstances:
    fields: dict[str, Any] = {
        "what": "phantom",
        "path": "d/a",
        "offset": 5,
        "quiet_ms": 60_000,
        "settle_ms": 10_000,
    }
    return Circumstances(**(fields | more))


def lost(root: RootBelief) -> None:
    root.lost = "missing", 4


def gap(cause: str, subtree: str = "", offset: int = 9) -> Callable[[RootBelief], None]:
    return lambda root: root.gaps.open(AnnouncedGap("e", cause, subtree, offset, 0))


def scanning(root: RootBelief) -> None:
    root.scans[1] = OpenScan(1, "d", 3, 0)


@pytest.mark.parametrize(
    ("happened", "what", "expected"),
    [
        (lambda root: None, case(), ("fault", "")),
        (lambda root: None, case(excluded=True), ("fault", "the settings here exclude it")),
        (lambda root: None, case(quiet_ms=1_500), ("pending", "changed 1.5 s ago, it may still settle")),
        (lost, case(), ("pending", "the root is lost (missing, offset 4)")),
        (gap("mass_deletion"), case(), ("pending", "its deletion waits for a second look (offset 9)")),
        (gap("mass_deletion"), case(offset=10), ("fault", "")),
        (gap("mass_deletion"), case(what="missing"), ("fault", "")),
        (gap("overflow", "d"), case(), ("pending", "a gap below 'd' is open (overflow, offset 9)")),
        (gap("overflow", "da"), case(), ("fault", "")),
        (
            gap("watch_limit"),
            case(what="missing"),
            ("pending", "not every directory is watched (watch_limit, offset 9): it is seen at the next scan"),
        ),
        (scanning, case(), ("pending", "scan 1 (offset 3) has not finished")),
    ],
)
def test_only_what_explains_a_difference_makes_it_pending(
    happened: Callable[[RootBelief], None], what: Circumstances, expected: tuple[str, str]
) -> None:
    root = RootBelief("home", None)
    happened(root)
    assert reasons.of_disk(what, root) == expected


@pytest.mark.parametrize(
    ("what", "progress", "expected"),
    [
        (case(), CatalogueProgress(6, behind=False), ("fault", "")),
        (
            case(),
            CatalogueProgress(5, behind=False),
            ("pending", "the fold has not read that far (it stands at 5)"),
        ),
        (case(), CatalogueProgress(6, behind=True), ("pending", "changes wait for the projector")),
        (
            case(quiet_ms=13_000),
            CatalogueProgress(6, behind=False),
            ("pending", "last recorded 13.0 s ago, it may still settle"),
        ),
    ],
)
def test_the_catalogue_may_be_behind(
    what: Circumstances, progress: CatalogueProgress, expected: tuple[str, str]
) -> None:
    assert reasons.of_catalogue(what, RootBelief("home", None, settle_ms=4_000), progress) == expected


# -- the disk --------------------------------------------------------------------------------------------------


def test_a_walk_takes_what_the_settings_admit_whatever_its_name(tmp_path: Path) -> None:
    put(tmp_path / "d" / "a.mkv", b"12345")
    put(tmp_path / "d" / "a.part")
    put(tmp_path / "@eaDir" / "x")
    weird(tmp_path, b"\xff\n").write_bytes(b"")
    (tmp_path / "link").symlink_to("d")
    disk = Disk(RootSpec(name="films", library="home", path=tmp_path, exclude=("*.part",)))
    counted: list[int] = []
    walked = disk.walk(counted.append)
    assert {path: (seen.type, seen.size) for path, seen in walked.tree.items()} == {
        "d": ("dir", 0), "d/a.mkv": ("file", 5), "\udcff\n": ("file", 0), "link": ("symlink", 1),
    }  # fmt: skip
    assert (sum(counted), walked.fault(None)) == (4, None)
    looks = disk.look({"d/a.mkv", "d/a.part", "nothing/there"})
    assert [(looks[p].seen is not None, looks[p].excluded) for p in ("d/a.mkv", "d/a.part", "nothing/there")] == [
        (True, False), (False, True), (False, False),
    ]  # fmt: skip


def test_what_cannot_be_read_is_named_and_nothing_is_reported_of_it(tmp_path: Path) -> None:
    put(tmp_path / "d" / "a.mkv")

    class Closed(LocalTree):
        """Its directory `d` is another user's."""

        def entries(self, path: str) -> list[tuple[str, FileState]] | None:
            if path == "d":
                raise Unreadable(path, "Permission denied")
            return super().entries(path)

        def stat(self, path: str) -> FileState | None:
            if path.startswith("d/"):
                raise Unreadable(path, "Permission denied")
            return super().stat(path)

    class Backend(LocalBackend):
        """Opens it."""

        def open(self) -> Closed:
            return Closed(os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY))

    disk = Disk(RootSpec(name="films", library="home", path=tmp_path), Backend(tmp_path))
    walked = disk.walk(lambda _: None)
    assert (set(walked.tree), walked.unread) == ({"d"}, {"d": "Permission denied"})
    assert set(disk.look({"d", "d/a.mkv"})) == {"d"}


def test_a_root_that_is_not_there_is_not_an_empty_one(tmp_path: Path) -> None:
    walked = Disk(RootSpec(name="films", library="home", path=tmp_path / "no")).walk(lambda _: None)
    fault = walked.fault(None)
    assert fault is not None
    assert fault.cause == "missing"


def test_a_name_cannot_look_like_another_line() -> None:
    found = Difference(
        severity="fault", root="films", what="changed", path="a\nfault\x1b[2J\N{REPLACEMENT CHARACTER}",
        path_b64="YQpmYXVsdBtbMkr/", log=FILE, other=PathState("file", 6, 7), fields=("size",), partition=0, offset=3,
        at="then", record="observed",
    )  # fmt: skip
    assert line(found) == (
        r"fault    films  a\nfault\x1b[2J\xff  other on the disk than in the log (size 5 and 6) [observed 0:3 then]"
    )


def test_of_what_is_pending_people_are_shown_a_few_and_of_faults_all() -> None:
    brief = Brief()

    def shown(severity: Severity) -> int:
        found = [
            Difference(severity=severity, root="films", what="phantom", path=str(n), partition=0)
            for n in range(50)
        ]
        return sum(map(brief.shows, found))

    assert (shown("pending"), shown("fault")) == (PENDING_SHOWN, 50)
    assert list(brief.more()) == ["pending  films  30 more in the log, not on the disk (--json names each)"]
