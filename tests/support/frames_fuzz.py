"""Record batches as the world might store them, framed by compiled and by interpreted code.

`python -m tests.support.frames_fuzz SECONDS [SEED]` runs until the time is over and ends with 1 at the first that differs.
Updates are plain, nearly plain, or mutated byte by byte; so are headers, keys and offsets. Half of the batches are broken
after they were packed, as no broker would store them: the compiled code must come back from them, within its bytes.
"""

from __future__ import annotations

import json
import logging
import random
import struct
import sys
import time
from dataclasses import dataclass
from functools import partial

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from gateway.core.about import FramedColumns, columns
from gateway.log.compiled import Unpack, compiled
from gateway.log.framer import Framer
from runtime.chunked_records import _Stored
from schemas.channels import CHANNELS

PLACE = TopicPartition("updates", 3)
HEADER_BYTES = 61
MEDIA = CHANNELS["media_updates"]

_TEXTS = (
    "films", "music", "", "Amélie", "日本", "🎬", "a\"b", "back\\slash", "\x00\x1f\x7f", "\ud800", "\ufeff", "é" * 300,
    "x" * 2_000,
)  # fmt: skip
_NUMBERS = ("0", "-0", "1", "-7", "007", "1.5", "1.", ".5", "1e3", "1E-3", "12345678901234567890", "1" * 400, "0.1" * 3,
            "+1", "9007199254740993", "-9223372036854775808", "NaN", "Infinity")  # fmt: skip
_BITS = (b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"\\u00e9", b"\\ud83c\\udfac", b"\\ud800", b"\\x", b"\x00",
         b"\n", b" ", b"\xff", b"\xc3\xa9", b"\xc0\x80", b"\xed\xa0\x80", b"true", b"nul", b"1", b"-", b'"was":{}',
         b'"media":{},', b'"action":"deleted",')  # fmt: skip
_HEADERS: dict[str, tuple[bytes | None, ...]] = {
    "ce_id": (b"", None, b'a"b', "é".encode(), b"a/b", b"_Z.:9-"),
    "ce_time": (
        None, b"", b"2026-02-29T10:30:00.123Z", b"2024-02-29T10:30:00.123Z", b"0000-01-01T00:00:00.000Z",
        b"2026-11-24T24:00:00.000Z", b"2026-11-24T10:30:00+01:00", b"2026-13-01T10:30:00.123Z",
        b"2026-11-24T10:30:60.123Z", b"2026-11-24T10:30:00.123z",
    ),
    "ce_dataschema": (None, b"", b"1", b"x:1", b"urn:catalogizer:schema:media_update:2", b"x:1.9"),
    "schema-version": (None, b"1", b"2", b"1.7"),
    "x-to": (b"role:1",), "\u00fcn\u00ef": (b"\xff",), "": (b"",), "ce_i": (b"x",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch as a broker returns it, and the first offset that its reader wants."""

    batch: bytes
    start: int


class Hand:
    """Makes them from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def stored(self, *, broken: bool = False) -> Stored:
        """A batch of some records; `broken`: with bytes that were changed after it was packed."""
        draw = self._random
        codec = 0 if broken else draw.choice((0, 0, 1, 2, 3, 4))
        builder = DefaultRecordBatchBuilder(2, codec, draw.random() < 0.5, 5, 0, 0, 1 << 20)
        for number in range(draw.choice((1, 2, 5, 40, 300))):
            at = 1_764_000_000_000 + draw.randrange(10_000)
            if builder.append(number, at, self._key(), self._value(), self._headers()) is None:
                break
        stored = bytearray(builder.build())
        base = draw.choice((0, 0, 7, 1 << 40))
        struct.pack_into(">q", stored, 0, base)
        if draw.random() < 0.5:
            stored[22] |= 0x08  # append time of the broker
        if broken:
            for _ in range(draw.randint(1, 4)):
                stored[draw.randrange(HEADER_BYTES, len(stored))] = draw.randrange(256)
        return Stored(bytes(stored), base + draw.choice((0, 0, 1, 3, 1_000)))

    def _key(self) -> bytes | None:
        return self._random.choice((b"home", b"home", b"home", None, b"", "Büro".encode(), b"\xff", b"k" * 2_000))

    def _value(self) -> bytes | None:
        draw = self._random
        if draw.random() < 0.03:
            return draw.choice((None, b"", b"null", b"[]", b"{}", b"[" * 200, b'{"a":' * 100 + b"1" + b"}" * 100))
        if draw.random() < 0.5:
            return self._plain().encode()
        value = self._update().encode("utf-8", "surrogatepass")
        if draw.random() < 0.5:
            return value
        changed = bytearray(value)
        for _ in range(draw.randint(1, 3)):
            at, end = sorted(draw.randrange(len(changed) + 1) for _ in range(2))
            match draw.randrange(3):
                case 0:
                    changed[at:at] = draw.choice(_BITS)
                case 1:
                    changed[at : min(end, at + 8)] = b""
                case _:
                    changed[at : at + 1] = bytes((draw.randrange(256),))
        return bytes(changed)

    def _plain(self) -> str:
        """An update of ours, more or less."""
        draw = self._random
        more = {"year": 1999, "rating": -7.25, "tags": ["a", {"b": [None, True]}], "größe": "Amélie \u2028 🎬"}
        media = {
            "id": 1,
            "title": draw.choice(('a "b" \\ c', "Amélie", "x" * 700)),
            "media_type": draw.choice(("video", "music")),
        }
        media |= {"storage_root": draw.choice(("films", "Büro", None))} | (more if draw.random() < 0.5 else {})
        update = {
            "action": draw.choice(("created", "updated", "analyzed")),
            "media_id": draw.randrange(10**9),
            "media": media,
        }
        if draw.random() < 0.2:
            update |= {"was": {"storage_root": "shows", "id": 1}, "analysis_id": "a-1"}
        separators = draw.choice(((",", ":"), (", ", ": ")))
        return json.dumps(update, ensure_ascii=draw.random() < 0.1, separators=separators)

    def _update(self) -> str:
        draw = self._random
        members = [
            (
                "action",
                draw.choice(('"created"', '"created"', '"updated"', '"deleted"', '"analyzed"', '"moved"', "1")),
            ),
            ("media_id", draw.choice(("1", "1", "77", draw.choice(_NUMBERS), '"1"'))),
            ("media", self._item()),
        ]
        if draw.random() < 0.3:
            members.append(("was", self._item()))
        if draw.random() < 0.3:
            members.append(("analysis_id", draw.choice(('"a-1"', "null", self._any()))))
        if draw.random() < 0.2:
            members.append((draw.choice(("more", "media", "éa", 'a"b', "was", "med\\u0069a")), self._any()))
        if draw.random() < 0.1:
            draw.shuffle(members)
        if draw.random() < 0.05:
            members.pop(draw.randrange(len(members)))
        space = draw.choice(("", "", " ", "\n\t"))
        return (
            "{"
            + space
            + ("," + space).join(self._member(name, text) for name, text in members)
            + space
            + "}"
            + space
        )

    def _item(self) -> str:
        draw = self._random
        if draw.random() < 0.03:
            return self._any()
        members = [
            ("id", "1"),
            ("title", self._text()),
            ("media_type", draw.choice(('"video"', '"video"', '"music"', self._any()))),
        ]
        members.append(("storage_root", draw.choice(('"films"', '"films"', '"shows"', self._any()))))
        members += [("more", self._any()) for _ in range(draw.randrange(3))]
        return "{" + ",".join(self._member(name, text) for name, text in members) + "}"

    def _member(self, name: str, text: str) -> str:
        return f'"{name}"' + self._random.choice((":", ":", ": ", " :")) + text

    def _text(self) -> str:
        return json.dumps(self._random.choice(_TEXTS), ensure_ascii=self._random.random() < 0.3)

    def _any(self, depth: int = 3) -> str:
        draw = self._random
        match draw.randrange(8 if depth else 5):
            case 0:
                return self._text()
            case 1:
                return draw.choice(_NUMBERS)
            case 2:
                return draw.choice(("true", "false", "null"))
            case 3:
                return str(draw.randrange(-(10**12), 10**12))
            case 4:
                return f"{draw.random():.{draw.randint(1, 20)}f}"
            case 5:
                return "[" + ",".join(self._any(depth - 1) for _ in range(draw.randrange(4))) + "]"
            case 6:
                return "{" + ",".join(f'"m{i}":{self._any(depth - 1)}' for i in range(draw.randrange(4))) + "}"
            case _:
                depth = draw.randrange(40)
                return "[" * depth + "]" * (depth + draw.choice((0, 0, 0, 1, -1)))

    def _headers(self) -> list[tuple[str, bytes | None]]:
        draw = self._random
        made: list[tuple[str, bytes | None]] = [
            ("ce_specversion", b"1.0"),
            ("ce_id", b"5f6c2a0e-6f0c-5d0a-9a51-0c8f0f7c2a10"),
            ("ce_time", b"2026-11-24T10:30:00.123Z"),
            ("ce_dataschema", b"urn:catalogizer:schema:media_update:1"),
        ]
        if draw.random() < 0.8:
            return made
        for _ in range(draw.randint(1, 3)):
            if draw.random() < 0.3:
                made.pop(draw.randrange(len(made))) if made else None
            name = draw.choice(tuple(_HEADERS))
            made.insert(draw.randrange(len(made) + 1), (name, draw.choice(_HEADERS[name])))
        return made


def framed(stored: Stored, framer: Framer) -> FramedColumns | None:
    """All that `framer` makes of a batch; None if it is not a batch."""
    made = columns(())
    records = _Stored(stored.batch)
    records.start, records.unpack = stored.start, partial(framer.chunks, PLACE)
    try:
        while records.has_next():
            for chunk in records.next_batch():
                if chunk.offset != chunk.content[0][-1]:
                    raise AssertionError("a chunk's offset is not that of its last record")
                for column, more in zip(made, chunk.content, strict=True):
                    column.extend(more)  # type: ignore[attr-defined]
    except CorruptRecordException:
        return None
    return made


def framers(unpack: Unpack, *, legacy_payload: bool) -> tuple[Framer, Framer]:
    """An interpreted and a compiled one."""
    return (
        Framer(MEDIA, legacy_payload=legacy_payload),
        Framer(MEDIA, legacy_payload=legacy_payload, compiled=unpack),
    )


def main() -> int:
    """Until the time is over; the exit code."""
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    unpack = compiled()
    if unpack is None:
        print("nothing is compiled here: run `make setup`", file=sys.stderr)
        return 1
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR)
    )  # gaps are told one by one
    pairs = [framers(unpack, legacy_payload=legacy) for legacy in (False, True)]
    end, batches, refused = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        hand = Hand(seed)
        whole, broken = hand.stored(), hand.stored(broken=True)
        for interpreted, fast in pairs:
            if framed(whole, interpreted) != framed(whole, fast):
                print(f"seed {seed}: the frames differ", file=sys.stderr)
                return 1
            refused += framed(broken, fast) is None
        batches, seed = batches + 4, seed + 1
    print(f"{batches:,} batches, none differs; {refused:,} broken ones were refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
