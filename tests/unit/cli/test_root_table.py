"""The roots of an installation, from settings, states and reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from cli.errors import BadArgument
from cli.root_table import RootLine, find_root, merged
from producer.settings import RootSpec
from schemas.system import RootReport, SystemUpdate
from streams.status.publishing import LatestUpdate

AT = "1970-01-01T00:00:01.000Z"
SPEC = RootSpec(name="films", library="home", path=Path("/media/films"))


def state(key: str, **details: object) -> dict[str, LatestUpdate]:
    update = SystemUpdate(action="storage_update", component=key, status="error", message="m", details=details)
    return {key: LatestUpdate(key, update, 1_000, (0, 0))}


def report(root: str) -> tuple[int, RootReport]:
    return 1_000, RootReport(
        root=root, library="home", site="main", protocol="local", status="healthy", at=AT, message="is watched",
        location=f"/media/{root}", mode="watching",
    )  # fmt: skip


def test_a_configured_root_that_nobody_reported_is_unknown() -> None:
    (line,) = merged([SPEC], {}, [])
    assert (line.name, line.state, line.configured, line.reported_at) == ("films", "unknown", True, None)
    assert "catalogizer watch" in line.message


def test_a_root_published_before_and_reported_no_more_is_silent() -> None:
    (line,) = merged([], state("films", library="home", location="/media/films", protocol="local"), [])
    assert line == RootLine(
        "films", "home", "/media/films", "local", "silent", "nobody reports it now; the last was: m",
        configured=False, reported_at=AT,
    )  # fmt: skip


def test_the_newest_report_gives_the_state_of_a_root() -> None:
    (line,) = merged([SPEC], state("films"), [report("films")])
    assert line == RootLine(
        "films", "home", "/media/films", "local", "watching", "is watched", configured=True, reported_at=AT
    )


def test_what_watches_a_root_and_why_is_part_of_its_line() -> None:
    at, seen = report("films")
    seen = structs.replace(seen, details={"watch": "polling", "watch_why": "nfs4: others change it too"})
    (line,) = merged([SPEC], {}, [(at, seen)])
    assert (line.watch, line.watch_why) == ("polling", "nfs4: others change it too")


def test_gaps_and_components_are_no_roots_and_those_of_a_platform_here_are_configured() -> None:
    health = SystemUpdate(action="health_check", component="watch", status="healthy")
    states = state("films/gaps") | {"watch": LatestUpdate("watch", health, 1_000, (0, 0))}
    lines = merged([SPEC.model_copy(update={"name": "music"})], states, [report("music"), report("books")])
    assert [(line.name, line.configured) for line in lines] == [("books", False), ("music", True)]


def test_a_root_that_is_not_known_is_an_error_with_those_that_are() -> None:
    lines = merged([SPEC], {}, [report("music")])
    assert find_root("films", lines).name == "films"
    with pytest.raises(BadArgument, match=r"'flims'; did you mean films\? known: films, music"):
        find_root("flims", lines)
