"""What another machine does through a share: typical work in a folder, of which the server learns through its own protocol.

No kernel here mounts a share, so a client in Python does it, one request after another."""

from __future__ import annotations

import os
from pathlib import Path

from bench.watching.workloads import Place, Workload, absent
from tests.support.samba import Client

COPY = "from afar"
MOVED = "moved afar"
TEXTS = "texts afar"
SAVES = 2_000


def _client(place: Place) -> Client:
    assert place.client is not None
    return place.client


def _on_share(place: Place, *names: str) -> str:
    return "/".join((place.root.name, *names))


def copy_in(place: Place) -> None:
    """A tree, file by file."""
    client, source = _client(place), place.source.first
    for directory, _, files in os.walk(source):
        below = _on_share(place, COPY, *Path(directory).relative_to(source).parts)
        client.mkdir(below)
        for name in files:
            path = Path(directory, name)
            if not path.is_symlink():
                client.write(f"{below}/{name}", path.read_bytes())


def _copied(place: Place) -> None:
    absent(MOVED)(place)
    if not (place.root / COPY).exists():
        copy_in(place)


def move(place: Place) -> None:
    """The whole of it, to another name."""
    _client(place).rename(_on_share(place, COPY), _on_share(place, MOVED))


def _moved(place: Place) -> None:
    if not (place.root / MOVED).exists():
        _copied(place)
        move(place)


def remove(place: Place) -> None:
    """All of it."""
    _client(place).rmtree(_on_share(place, MOVED))


def _texts(place: Place) -> None:
    absent(TEXTS)(place)
    (place.root / TEXTS).mkdir()


def save(place: Place) -> None:
    """Files saved by renaming a new one over the old one, and in place."""
    client = _client(place)
    for number in range(place.count(SAVES)):
        path = _on_share(place, TEXTS, f"text {number}.md")
        client.write(path, b"first\n")
        client.write(f"{path}.tmp", b"saved by the first editor\n")
        client.replace(f"{path}.tmp", path)
        client.write(path, b"saved by the second editor, in place\n")


WORKLOADS: tuple[Workload, ...] = (
    Workload("through the share: copy in", absent(COPY), copy_in, removes=False),
    Workload(
        "through the share: rename the tree", _copied, move, moved=frozenset({COPY.encode(), MOVED.encode()})
    ),
    Workload("through the share: remove the tree", _moved, remove),
    Workload("through the share: saves", _texts, save),
)
