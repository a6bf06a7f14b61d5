"""A container's streams through FFmpeg (PyAV): what video and audio have in common.

FFmpeg may read the given file and nothing else: formats that are lists of other files (HLS, DASH, concat) are not
among those allowed, and a demuxer that asks for another address is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NoReturn

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from streams.analysis.probe import thumbnail
from streams.analysis.probe.read import Damaged
from streams.analysis.probe.text import distinct, language, number
from streams.analysis.wire import Picture

DEMUXERS = (
    "3gp,aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,dtshd,dv,eac3,flac,flv,h264,hevc,ivf,m4v,matroska,mov,mp3,mpc,"
    "mpc8,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,rm,tak,tta,vc1,w64,wav,webm,wv"
)
MAX_COVER_BYTES = 16_777_216


@contextmanager
def opened(file: BinaryIO, path: str) -> Iterator[InputContainer]:
    """The file as a container. Raises Damaged, FFmpegError."""
    with av.open(
        file, mode="r", metadata_errors="replace", options={"format_whitelist": DEMUXERS}, io_open=_refuse
    ) as container:
        if not container.streams.video and not container.streams.audio:
            raise Damaged("there is neither picture nor sound in it")
        for stream in container.streams:
            if stream.codec_context is not None:
                stream.codec_context.thread_count = 1
        yield container


def _refuse(url: str, _flags: int, _options: object) -> NoReturn:
    raise PermissionError("a media file may not open another")


def codec_name(stream: Stream) -> str | None:
    """As FFmpeg calls it; None where it does not know the codec and cannot decode it."""
    context = stream.codec_context
    return None if context is None else str(context.codec.canonical_name)


def size(stream: VideoStream) -> tuple[int | None, int | None]:
    """Width and height."""
    context = stream.codec_context
    return (None, None) if context is None else (number(context.width), number(context.height))


def sample_rate(stream: AudioStream) -> int | None:
    """In Hz."""
    return None if stream.codec_context is None else number(stream.codec_context.sample_rate)


def channels(stream: AudioStream) -> int | None:
    """How many."""
    return None if stream.codec_context is None else number(stream.codec_context.channels)


def bit_rate(stream: AudioStream) -> int | None:
    """In bit/s."""
    return None if stream.codec_context is None else number(stream.codec_context.bit_rate)


def container_name(container: InputContainer, path: str) -> str:
    """FFmpeg names a family (`mov,mp4,m4a`); the extension says which, where it is one of them."""
    family = container.format.name.split(",")
    extension = path.rpartition(".")[2].lower()
    known = {"mkv": "matroska", "mka": "matroska", "m4v": "mp4", "ts": "mpegts", "m2ts": "mpegts"}
    if extension in family:
        return extension
    return known[extension] if known.get(extension) in family else family[0]


def duration_ms(container: InputContainer) -> int | None:
    """From the container; in microseconds there."""
    return number((container.duration or 0) // 1000)


def pictures(container: InputContainer) -> list[VideoStream]:
    """Streams that are a cover and not a film."""
    return [s for s in container.streams.video if Disposition.attached_pic in s.disposition]


def film(container: InputContainer) -> VideoStream | None:
    """The first stream that is a film."""
    for stream in container.streams.video:
        if Disposition.attached_pic not in stream.disposition:
            return stream
    return None


def languages(container: InputContainer) -> tuple[str, ...]:
    """Of the sound."""
    return distinct([language(stream.metadata.get("language")) for stream in container.streams.audio])


def subtitle_languages(container: InputContainer) -> tuple[str, ...]:
    """Of the subtitles inside; `und` for one that does not say."""
    tags = [language(stream.metadata.get("language")) or "und" for stream in container.streams.subtitles]
    return distinct([*tags])


def attached_picture(container: InputContainer) -> Picture | None:
    """The first attached cover that can be read."""
    for stream in pictures(container):
        for packet in container.demux(stream):
            if 0 < packet.size <= MAX_COVER_BYTES:
                return thumbnail.of_bytes(bytes(packet))
            break
    return None
