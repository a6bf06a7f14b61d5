"""What FFmpeg knows of a stream, but PyAV does not expose: read from the description that FFmpeg prints of a container
(`av_dump_format`, libavformat/dump.c), line by line.

A file's own tags are in it too, before the lines that are read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, cast

import av.logging
from av.container import InputContainer

from streams.analysis.probe.text import number

MAX_TAGS = 4_000
MAX_STREAMS = 100
"""A container with more streams is not described: the text grows with each."""
_STREAM = re.compile(r"  Stream #0:([0-9]{1,4})(?:\[0x[0-9a-f]+\])?(?:\([^)]{0,20}\))?: [A-Z][a-z]+: (.*)")
_SIDE_DATA = "    Side data:"
_ROTATION = re.compile(r"      Display Matrix: rotation of (-?[0-9]{1,3})\.[0-9]{2} degrees")
_DOLBY_VISION = "      DOVI configuration record: "
_CODEC = re.compile(r"(none|[a-z0-9_]{1,40})(?: \([^)/]{0,40}\))*(?: \(([A-Za-z0-9]{4}) / 0x[0-9A-F]{8}\))?")
_SIZE = re.compile(r", ([0-9]{1,5})x([0-9]{1,5})(?:[, ]|$)")


@dataclass(frozen=True, slots=True)
class Described:
    """One stream. `rotation`: degrees counter-clockwise by which it is displayed; `codec`: FFmpeg's name, even if it
    cannot decode it, else the container's four-letter code; `width`, `height`: from the container."""

    rotation: int = 0
    dolby_vision: bool = False
    codec: str | None = None
    width: int | None = None
    height: int | None = None


def described(container: InputContainer) -> dict[int, Described]:
    """The streams by index; none if there are too many."""
    tags = len(container.metadata) + sum(len(stream.metadata) for stream in container.streams)
    if tags > MAX_TAGS or len(container.streams) > MAX_STREAMS:
        return {}
    before = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)  # the description is printed at this level, and captured
    try:
        text: str = cast(Any, container).dumps_format()  # which PyAV's own types leave out
    finally:
        av.logging.set_level(before)
    return read(text)


def read(text: str) -> dict[int, Described]:
    """Parse the description. Tags come before the line `Side data`, with the same indentation."""
    found: dict[int, Described] = {}
    at, side_data = -1, False
    for line in text.splitlines():
        if (stream := _STREAM.match(line)) is not None:
            at, side_data = int(stream[1]), False
            found[at] = _stream(stream[2])
        elif at < 0 or not side_data:
            side_data = line == _SIDE_DATA
        elif (rotation := _ROTATION.match(line)) is not None:
            found[at] = replace(found[at], rotation=int(rotation[1]))
        elif line.startswith(_DOLBY_VISION):
            found[at] = replace(found[at], dolby_vision=True)
    return found


def _stream(line: str) -> Described:
    name, size = _CODEC.match(line), _SIZE.search(line)
    codec = None if name is None else (name[2] if name[1] == "none" else name[1])
    if size is None:
        return Described(codec=codec)
    return Described(codec=codec, width=number(int(size[1])), height=number(int(size[2])))
