"""Ports: the configured one or none; else the one of the last time; else a free one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.up import ports
from cli.up.errors import PortTaken
from cli.up.ports import free_port, is_free, kept_port


def test_a_free_port_is_given_to_one_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them listens yet; a broker would end if its two listeners got one port."""
    first = free_port()
    monkeypatch.setattr(ports, "RANGE", (first + 1, first + 40))
    given = [free_port() for _ in range(12)]
    assert len(set(given)) == len(given)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", free_port()))
        server.listen()
        yield server.getsockname()[1]


def test_a_taken_port_is_not_free(taken: int) -> None:
    assert not is_free(taken)


def test_a_configured_port_that_is_taken_is_refused_with_the_setting_that_chooses_it(
    taken: int, tmp_path: Path
) -> None:
    with pytest.raises(PortTaken, match=rf"port {taken} is taken .* CATALOGIZER_X__PORT"):
        kept_port(tmp_path / "x", taken, "CATALOGIZER_X__PORT")


def test_a_port_once_chosen_is_chosen_again(tmp_path: Path) -> None:
    chosen = kept_port(tmp_path / "ports" / "x", None, "")
    assert kept_port(tmp_path / "ports" / "x", None, "") == chosen


@pytest.mark.parametrize("kept", ["", "no port", "70000"])
def test_a_kept_port_that_is_none_is_replaced(kept: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(kept)
    assert is_free(kept_port(tmp_path / "x", None, ""))


def test_a_kept_port_that_is_taken_is_replaced(taken: int, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(str(taken))
    assert kept_port(tmp_path / "x", None, "") != taken
