"""UTF-8 JSON, fast: records to bytes and back. What cannot be decoded raises one error, which names the position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from schemas.errors import Undecodable
from schemas.raw import RawRecord

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
encode = _encoder.encode
"""Encode any record of ours."""


class Codec(Generic[T]):
    """Decodes one topic's values. Unknown fields are ignored; anything else wrong raises Undecodable."""

    def __init__(self, type_: object) -> None:
        self._decode: Callable[[bytes | msgspec.Raw], T] = msgspec.json.Decoder(type_).decode

    def decode(self, value: bytes | msgspec.Raw | None) -> T:
        """Decode bytes, or a part of a record that was left encoded, to a record. Raises Undecodable."""
        if value is None:
            raise Undecodable("no value (a tombstone)")
        try:
            return self._decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Undecodable(str(error)) from error


raw_codec: Codec[RawRecord] = Codec(RawRecord)
