"""A password comes from a prompt, standard input or a file; without one of them the error names the options."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from cli import passwords
from cli.errors import BadArgument


@pytest.mark.parametrize("text", ["pass word\n", "pass word\r\n", "pass word"])
def test_one_newline_at_the_end_is_not_part_of_it(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p").write_bytes(text.encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    from_file = passwords.read("anna", stdin=False, file=tmp_path / "p", generate=False)
    from_stdin = passwords.read("anna", stdin=True, file=None, generate=False)
    assert from_file == from_stdin == passwords.Password("pass word")


def test_bytes_that_are_not_text_are_refused_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"canary\xff\xff")
    with pytest.raises(BadArgument, match="not UTF-8") as refused:
        passwords.read("anna", stdin=False, file=tmp_path / "p", generate=False)
    assert "canary" not in str(refused.value)


def test_without_a_terminal_and_without_an_option_the_error_names_the_options(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("not asked for"))
    with pytest.raises(BadArgument) as refused:
        passwords.read("anna", stdin=False, file=None, generate=False)
    for way in ("--password-stdin", "--password-file", "--generate", "terminal"):
        assert way in str(refused.value)


def test_a_generated_one_is_long_and_new() -> None:
    first, second = (passwords.read("anna", stdin=False, file=None, generate=True) for _ in range(2))
    assert first.generated
    assert len(first.text) >= 16
    assert first != second
