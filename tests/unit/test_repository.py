"""What holds for every file of the repository: no registry's address, no link of a document that leads nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IGNORED = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()} | {".git"}


def tracked(folder: Path) -> Iterator[Path]:
    """Every file below a folder that `.gitignore` does not name."""
    for path in sorted(folder.iterdir()):
        if path.name in IGNORED:
            continue
        if path.is_dir():
            yield from tracked(path)
        else:
            yield path


FILES = list(tracked(ROOT))
PAGES = [path for path in FILES if path.suffix == ".md"]

REGISTRIES = re.compile(
    r"\b(?:"
    + "|".join(
        rf"{name}\.{domain}"
        for name, domain in (
            ("pypi", "org"), ("pythonhosted", "org"), ("repo1?\\.maven", "(?:org|apache)"), ("maven\\.apache", "org"),
            ("npmjs", "(?:org|com)"), ("yarnpkg", "com"), ("unpkg", "com"), ("jsdelivr", "net"), ("crates", "io"),
            ("proxy\\.golang", "org"), ("docker", "io"), ("ghcr", "io"), ("quay", "io"), ("gcr", "io"),
            ("mcr\\.microsoft", "com"),
        )
    )
    + r")\b"
)  # fmt: skip
"""Hosts that serve packages, jars or images: which ones are used is the machine's setting, not the project's."""

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def anchor(heading: str) -> str:
    """A heading's anchor, as repository hosts make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def leads_somewhere(page: Path, link: str) -> bool:
    target, _, fragment = link.partition("#")
    path = page.parent / target if target else page
    if not path.exists():
        return False
    return not fragment or fragment in {anchor(heading) for heading in HEADING.findall(path.read_text())}


PACKAGE = 'packages = ["' + "docker" + '.io"]'
"""So Debian calls a package, which is no address."""


def test_files_are_found() -> None:
    assert {"README.md", "LICENSE", "pyproject.toml", "app.js"} <= {path.name for path in FILES}


def test_no_file_names_a_registry() -> None:
    texts = ((path, path.read_bytes().decode(errors="replace").replace(PACKAGE, "")) for path in FILES)
    assert [str(path.relative_to(ROOT)) for path, text in texts if REGISTRIES.search(text)] == []


@pytest.mark.parametrize("name", ["pypi", "docker"])
def test_a_registry_would_be_found(name: str) -> None:
    domain = {"pypi": "org", "docker": "io"}[name]
    assert REGISTRIES.search(f"see https://{name}.{domain}/x")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    links = [link for link in LINK.findall(FENCE.sub("", page.read_text())) if ":" not in link]
    assert [link for link in links if not leads_somewhere(page, link)] == []
