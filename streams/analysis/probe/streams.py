"""A container's streams through FFmpeg (PyAV): what video and audio have in common.

FFmpeg may read the given file and nothing else: formats that are lists of other files (HLS, DASH, concat) are not
among those allowed, and a demuxer that asks for another address is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import NoReturn

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from streams.analysis.probe import thumbnail
from streams.analysis.probe.read import Damaged
from streams.analysis.probe.text import distinct, language, number
from streams.analysis.probe.view import View
from streams.analysis.wire import Picture

DEMUXERS = (
    "3gp,aac,aax,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,dtshd,dv,eac3,flac,flv,h264,hevc,iff,ivf,m4v,matroska,mov,mp3,"
    "mpc,mpc8,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,rm,tak,truehd,tta,vc1,w64,wav,webm,wtv,wv"
)
EXPORT_ALL = {"export_all": "1"}
"""MP4 atoms for which FFmpeg has no name are passed on by their own."""
MAX_COVERS = 8
"""Maximum attached covers that are tried."""
PICTURES = ("mjpeg", "png", "bmp", "gif", "webp", "tiff")
"""Codecs of pictures: a single frame of these beside audio is its cover, whatever its flags."""
MAX_PIXEL_ASPECT = 10
"""The maximum aspect ratio of a pixel, in either direction; 4:1 is the most that is made on purpose."""
Codecs = Mapping[int, str]
"""Names of the codecs that cannot be decoded here, by the stream's index."""
_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails


@contextmanager
def opened(view: View) -> Iterator[InputContainer]:
    """The file as a container. Raises Damaged, FFmpegError."""
    options = {"format_whitelist": DEMUXERS} | EXPORT_ALL
    with av.open(view, mode="r", metadata_errors="surrogateescape", options=options, io_open=_refuse) as container:
        if not container.streams.video and not container.streams.audio:
            raise Damaged("there is neither picture nor sound in it")
        for stream in container.streams:
            if stream.codec_context is not None:
                stream.codec_context.thread_count = 1
        yield container


def _refuse(url: str, _flags: int, _options: object) -> NoReturn:
    raise PermissionError("a media file may not open another")


def codec_name(stream: Stream, unknown: Codecs) -> str | None:
    """FFmpeg's name for the codec; from `unknown` if FFmpeg cannot decode it."""
    context = stream.codec_context
    return unknown.get(stream.index) if context is None else str(context.codec.canonical_name)


def size(stream: VideoStream) -> tuple[int | None, int | None]:
    """Width and height as displayed, except for the film's rotation."""
    context = stream.codec_context
    if context is None or not number(context.width) or not number(context.height):
        return None, None
    return seen(context.width, context.height, pixel_aspect(stream))


def seen(width: int, height: int, pixel: Fraction) -> tuple[int, int]:
    """The displayed size of a frame with this pixel aspect ratio."""
    return max(1, round(width * pixel)), height


def pixel_aspect(stream: VideoStream) -> Fraction:
    """The aspect ratio of a pixel; 1 if it is missing or invalid."""
    aspect = stream.sample_aspect_ratio
    if aspect is None or not Fraction(1, MAX_PIXEL_ASPECT) <= aspect <= MAX_PIXEL_ASPECT:
        return Fraction(1)
    return aspect


def frame_rate(stream: VideoStream) -> float | None:
    """Average frames per second, to three decimals."""
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    return None if not rate or not 0 < rate <= 1_000 else round(float(rate), 3)


def sample_rate(stream: AudioStream) -> int | None:
    """The sample rate in Hz; for one-bit audio FFmpeg counts bytes."""
    context = stream.codec_context
    if context is None:
        return None
    return number(context.sample_rate * (8 if context.name.startswith("dsd_") else 1))


def channels(stream: AudioStream) -> int | None:
    """The number of channels."""
    return None if stream.codec_context is None else number(stream.codec_context.channels)


def bit_rate(stream: AudioStream) -> int | None:
    """The bit rate in bit/s."""
    return None if stream.codec_context is None else number(stream.codec_context.bit_rate)


def container_name(container: InputContainer, path: str) -> str:
    """The container. FFmpeg names a family (`mov,mp4,m4a`); the extension selects the member if it is one of them."""
    family = container.format.name.split(",")
    extension = path.rpartition(".")[2].lower()
    known = {"mkv": "matroska", "mka": "matroska", "m4v": "mp4", "m4b": "m4a", "ts": "mpegts", "m2ts": "mpegts"}
    if extension in family:
        return extension
    return known[extension] if known.get(extension) in family else family[0]


def duration_ms(container: InputContainer) -> int | None:
    """The duration of the container, which is in microseconds there."""
    return number((container.duration or 0) // 1000)


def film(container: InputContainer) -> VideoStream | None:
    """The first video stream that is not a cover or pictures of chapters."""
    return next((stream for stream in container.streams.video if not _is_picture(container, stream)), None)


def _is_picture(container: InputContainer, stream: VideoStream) -> bool:
    if stream.disposition & _NO_FILM:
        return True
    return stream.frames == 1 and codec_name(stream, {}) in PICTURES and bool(container.streams.audio)


def languages(container: InputContainer) -> tuple[str, ...]:
    """The languages of the audio tracks."""
    return distinct([language(stream.metadata.get("language")) for stream in container.streams.audio])


def subtitle_languages(container: InputContainer) -> tuple[str, ...]:
    """The languages of the subtitles inside; `und` if one has none."""
    tags = [language(stream.metadata.get("language")) or "und" for stream in container.streams.subtitles]
    return distinct([*tags])


def attached_picture(container: InputContainer) -> tuple[Picture | None, tuple[str, ...]]:
    """The first attached cover that can be read, or a warning if none can."""
    covers = [
        stream for stream in container.streams.video if stream.disposition & _NO_FILM == Disposition.attached_pic
    ]
    for stream in covers[:MAX_COVERS]:
        if (picture := _cover(container, stream)) is not None:
            return picture, ()
    return None, (("its cover cannot be read",) if covers else ())


def _cover(container: InputContainer, stream: VideoStream) -> Picture | None:
    """A cover; FFmpeg returns an attached picture as the first packet of its stream."""
    try:
        packet = next(iter(container.demux(stream)), None)
        return (
            None
            if packet is None or packet.size > thumbnail.MAX_COVER_BYTES
            else thumbnail.of_bytes(bytes(packet))
        )
    except (Damaged, FFmpegError, MemoryError):
        return None
