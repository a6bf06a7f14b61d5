"""The table of close codes has every code that is ever sent, and none that is not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import SERVER, Protocol

from schemas import close_codes
from schemas.close_codes import CLOSE_CODES, CloseCode

GATEWAY = Path(__file__).resolve().parents[3] / "gateway"
NAMES = {name: value for name, value in vars(close_codes).items() if isinstance(value, CloseCode)}
BY_THE_LIBRARY = {"NORMAL", "PROTOCOL_ERROR", "TOO_BIG"}
"""Sent by the WebSocket library (the first as the echo of the client's own close)."""


def _used() -> set[str]:
    """Names of the table that the gateway's sources use."""
    found: set[str] = set()
    for path in GATEWAY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Attribute(attr=name, value=ast.Name("close_codes")) | ast.Name(name):
                    found.add(name)
                case _:
                    pass
    return found & set(NAMES)


def _numbers() -> Iterator[int]:
    """Whole numbers used as close codes in the gateway's sources."""
    for path in GATEWAY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(ast.Attribute(attr="close" | "send_close" | "fail"), [ast.Constant(int(code)), *_]):
                    yield code
                case _:
                    pass


def test_every_code_is_in_the_table_once_under_its_name() -> None:
    assert sorted(NAMES.values(), key=id) == sorted(CLOSE_CODES, key=id)
    assert len({code.code for code in CLOSE_CODES}) == len(CLOSE_CODES)


def test_every_code_of_the_table_is_sent() -> None:
    assert _used() | BY_THE_LIBRARY == set(NAMES)


def test_the_gateway_closes_with_codes_of_the_table_only() -> None:
    assert list(_numbers()) == []


def _frame(opcode: int, data: bytes, *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    whole = bytearray(Frame(Opcode.TEXT, data, fin).serialize(mask=masked))
    whole[0] = (whole[0] & 0x80) | rsv << 4 | opcode
    return bytes(whole)


CLOSE_OF_NOBODY = Close(1000, "").serialize()


@pytest.mark.parametrize(
    "sent",
    [
        *(pytest.param(_frame(opcode, b"x"), id=f"opcode-{opcode}") for opcode in range(16)),
        *(pytest.param(_frame(1, b"x", rsv=rsv), id=f"rsv-{rsv}") for rsv in range(1, 8)),
        pytest.param(_frame(1, b"x", masked=False), id="not-masked"),
        pytest.param(_frame(9, b"x" * 126), id="long-ping"),
        pytest.param(_frame(9, b"x", fin=False), id="ping-in-parts"),
        pytest.param(_frame(1, b"x" * 65_537), id="too-big"),
        pytest.param(_frame(1, b"x", fin=False) + _frame(0, b"x" * 65_536), id="too-big-in-parts"),
        pytest.param(_frame(1, b"x", fin=False) + _frame(1, b"x"), id="text-in-text"),
        pytest.param(_frame(8, b"\x03"), id="half-a-code"),
        pytest.param(_frame(8, b"\x03\xe8\xff"), id="reason-not-utf-8"),
        *(
            pytest.param(_frame(8, code.to_bytes(2, "big")), id=f"close-{code}")
            for code in (0, 999, 1004, 1006, 2_999)
        ),
        pytest.param(_frame(8, CLOSE_OF_NOBODY), id="close-1000"),
    ],
)
def test_what_the_library_answers_to_bad_frames_is_in_the_table(sent: bytes) -> None:
    server = Protocol(SERVER, max_size=65_536)
    server.receive_data(sent)
    if server.close_sent is not None:
        assert server.close_sent.code in {code.code for code in CLOSE_CODES}
