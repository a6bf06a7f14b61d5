"""A still of a film: one frame, as displayed, or why there is none. A missing still has no other effect.

A key frame is decoded alone, so that only one 8K frame must fit into the child's memory, and it is scaled down before it
becomes a picture.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streams.analysis.probe import streams, thumbnail
from streams.analysis.probe.read import Damaged
from streams.analysis.wire import Picture

COVER_AT = (10, 4, 2, 0)
"""The cover is a frame at one tenth of the film: after the black at its beginning, and before anything of the ending;
if that frame is black or cannot be decoded, one at a quarter, at the half, at the beginning. The seek goes to a second
before it, because some containers seek to after the requested time."""
_SECOND = 1_000_000
BLACK = 24
"""The maximum brightness of a frame that is regarded as black; 16 is black in most films."""
MAX_SOUGHT = 1_000
"""Packets skipped in search of a key frame: TV recordings have groups of up to 600 pictures."""
MAX_PACKETS = 60
"""Maximum packets decoded if there is no key frame."""
MAX_BYTES = 67_108_864
"""Maximum bytes read in search of frames; an 8K key frame has ten megabytes at most."""
MAX_SECONDS = 4.0
"""Time limit for all attempts together."""
_LATEST = 2**62
_DOLBY_VISION = (Type.DOVI_METADATA, Type.DOVI_RPU_BUFFER)


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of a film, or why there is none. Properties of the frame: `rotation` in degrees counter-clockwise by
    which it is displayed, `transfer` (ITU-T H.273, table 3), `hdr10_plus`, `dolby_vision` from its side data; None and
    False if no frame was decoded."""

    picture: Picture | None = None
    rotation: int | None = None
    transfer: int | None = None
    hdr10_plus: bool = False
    dolby_vision: bool = False
    warnings: tuple[str, ...] = ()


def still_of(container: InputContainer, film: VideoStream) -> Still:
    """A frame as a cover; a black one only if there is no other."""
    context = film.codec_context
    if context is None:
        return _without("its codec is not known here")
    if (context.width or 0) * (context.height or 0) > thumbnail.MAX_PIXELS:
        return _without("its frames are too large")
    first: Still | None = None
    until = time.monotonic() + MAX_SECONDS
    try:
        for frame in _frames(container, film, context, until):
            small = _small(frame, film)
            still = _still(frame, small)
            if not _is_black(small):
                return still
            first = first or still
    except MemoryError:
        return first or _without("it takes more memory than is allowed")
    except (FFmpegError, Damaged, ValueError):  # ValueError: a pixel format that cannot be converted
        return first or _without("its frames cannot be shown")
    return first or _without("no frame can be decoded")


def _without(reason: str) -> Still:
    return Still(warnings=(f"no picture of it: {reason}",))


def _frames(
    container: InputContainer, film: VideoStream, context: VideoCodecContext, until: float
) -> Iterator[VideoFrame]:
    """One key frame for each position of COVER_AT at which one can be decoded; if there is none at all, another frame.
    A raw video stream has no duration and cannot be sought, and an attempt would lose its position: its first frames
    are used."""
    none = True
    for part in COVER_AT:
        if time.monotonic() > until:
            return
        if container.duration:
            _seek(container, part)
        frame = _key_frame(container, film, context, until)
        if frame is not None:
            none = False
            yield frame
    if none:
        _seek(container, COVER_AT[-1])
        yield from itertools.islice(_decoded(container, film, context, until), 1)


def _seek(container: InputContainer, part: int) -> None:
    """Seek; a container that cannot seek is read on from where it is."""
    target = (container.start_time or 0) + ((container.duration or 0) // part if part else -_SECOND)
    try:
        container.seek(max(-_LATEST, min(target, _LATEST)))
    except FFmpegError:
        return


def _packets(
    container: InputContainer, film: VideoStream, most: int, until: float
) -> Iterator[Packet[VideoStream]]:
    try:
        for packet in itertools.islice(container.demux(film), most):
            if time.monotonic() > until:
                return
            yield packet
    except FFmpegError:  # the rest cannot be read
        return


def _key_frame(
    container: InputContainer, film: VideoStream, context: VideoCodecContext, until: float
) -> VideoFrame | None:
    for packet in _packets(container, film, MAX_SOUGHT, until):
        if packet.is_keyframe and packet.size and (frame := _alone(context, packet)) is not None:
            return frame
    return None


def _alone(context: VideoCodecContext, packet: Packet[VideoStream]) -> VideoFrame | None:
    """The frame of one packet, without waiting for later packets."""
    try:
        return next(iter([*context.decode(packet), *context.decode(None)]), None)
    except FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        return None
    finally:
        context.flush_buffers()


def _decoded(
    container: InputContainer, film: VideoStream, context: VideoCodecContext, until: float
) -> Iterator[VideoFrame]:
    for packet in _packets(container, film, MAX_PACKETS, until):
        try:
            yield from context.decode(packet)
        except FFmpegError:  # a packet that does not decode alone; the next one may
            continue


def _small(frame: VideoFrame, film: VideoStream) -> VideoFrame:
    """The frame as displayed, except for its rotation, no larger than a thumbnail."""
    width, height = streams.seen(frame.width, frame.height, streams.pixel_aspect(film))
    scale = min(1.0, thumbnail.SIDE / max(width, height))
    return frame.reformat(
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        format="rgb24",
        interpolation="AREA",
    )


def _still(frame: VideoFrame, small: VideoFrame) -> Still:
    image = small.to_image()  # type: ignore[no-untyped-call]
    upright = image.rotate(frame.rotation, expand=True) if frame.rotation else image
    return Still(
        thumbnail.of_image(upright), frame.rotation, int(frame.color_trc),
        _has(frame, Type.DYNAMIC_HDR_PLUS), any(_has(frame, kind) for kind in _DOLBY_VISION),
    )  # fmt: skip


def _has(frame: VideoFrame, kind: Type) -> bool:
    try:
        cast(Any, frame.side_data)[kind]
    except (KeyError, ValueError):  # ValueError: there is also data of a kind that PyAV has no name for
        return False
    return True


def _is_black(small: VideoFrame) -> bool:
    tiny = small.reformat(width=16, height=16, format="gray8")
    return max(bytes(tiny.planes[0])) < BLACK
