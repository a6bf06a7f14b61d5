"""Video and audio. The contents decide which of the two a file is, even if its name implies the other.

Before FFmpeg reads the file, its beginning is checked: text with an extension that programs and films share is neither;
excessive metadata are hidden (`excess`); whether its end is missing is determined from its sizes (`whole`).
"""

from __future__ import annotations

import os
from typing import BinaryIO, Literal

from av.container import InputContainer
from av.error import FFmpegError
from msgspec.structs import replace

from schemas.found import Found
from streams.analysis.probe import apetag, audio, id3, sniff, still, streams, video
from streams.analysis.probe.described import described
from streams.analysis.probe.excess import MAX_TAGS, Excess, excess
from streams.analysis.probe.matroska import codec_ids, tags_by_level
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.view import View
from streams.analysis.probe.whole import Missing, missing

SHARED = ("ts", "mts", "m2ts", "mod", "tod", "vob", "rm", "dv", "dat", "cue", "m3u", "m3u8", "pls")
"""Extensions shared by films and text: programs in TypeScript, a Go module, playlists."""
ANYTHING = ("mod", "dat")
"""Extensions that are used for anything: tracker music, game data."""


def read_video(file: BinaryIO, path: str) -> Read:
    """Raises Damaged."""
    return _read(file, path, "video")


def read_audio(file: BinaryIO, path: str) -> Read:
    """Raises Damaged."""
    return _read(file, path, "audio")


def _read(file: BinaryIO, path: str, named: Literal["video", "audio"]) -> Read:
    head = file.read(sniff.HEAD_BYTES)
    size = file.seek(0, os.SEEK_END)
    match sniff.kind_of(head):
        case "empty":
            raise Damaged("it is empty")
        case "text" if _extension(path) in SHARED:
            return Read(Found(media_type="other"))
        case "midi":
            return Read(
                Found(category="music", container="midi", media_type=None if named == "audio" else "audio")
            )
        case _:
            lost, too_much = missing(file, size), excess(file, size)
            view = View(file, too_much.patches)
            try:
                return _completed(_played(view, path, named, lost), lost, too_much)
            except Damaged:
                if sniff.kind_of(head) is None and _extension(path) in ANYTHING:
                    return Read(Found(media_type="other"))
                raise


def _played(view: View, path: str, named: Literal["video", "audio"], lost: Missing | None) -> Read:
    try:
        with streams.opened(view) as container:
            view.begin_again(still.MAX_BYTES, still.MAX_SECONDS)
            unknown = _unknown(container, view)
            film = streams.film(container)
            if film is not None:
                read, is_ = video.read(container, film, path, unknown, _tags_beside(view)), "video"
            elif container.streams.audio:
                read, is_ = audio.read(container, path, unknown, _tags_beside(view)), "audio"
            else:
                raise Damaged("there is nothing to be played in it, only a picture")
    except FFmpegError as error:
        raise _damage(error, view, lost) from error
    if is_ == named:
        return read
    return Read(replace(read.found, media_type="video" if is_ == "video" else "audio"), read.picture)


def _damage(error: FFmpegError, view: View, lost: Missing | None) -> Exception:
    if isinstance(error, MemoryError):
        return error
    if lost is not None:
        return Damaged(f"{lost.warning}, and nothing can be read without it")
    if view.is_spent:
        return Damaged("what it holds was not found in the part of it that is read")
    return Damaged("it is neither video nor sound that can be read, although its name says so")


def _unknown(container: InputContainer, view: View) -> streams.Codecs:
    if all(stream.codec_context is not None for stream in container.streams):
        return {}
    codecs = {index: about.codec for index, about in described(container).items() if about.codec is not None}
    written = {index: name for index, name in enumerate(codec_ids(view.file)) if name is not None}
    return written | codecs


def _tags_beside(view: View) -> list[dict[str, str]]:
    """The tags that FFmpeg does not pass on."""
    file = view.file
    return [
        tags_by_level(file, MAX_TAGS),
        id3.texts(file, id3.tag_at(file, 0), MAX_TAGS),
        apetag.texts(file, MAX_TAGS),
    ]


def _completed(read: Read, lost: Missing | None, too_much: Excess) -> Read:
    """The result with what is known in addition to FFmpeg."""
    found = read.found
    warnings = (() if lost is None else (lost.warning,)) + found.warnings + too_much.warnings
    found = replace(found, warnings=tuple(dict.fromkeys(warnings)))
    return Read(found, read.picture)


def _extension(path: str) -> str:
    return path.rpartition(".")[2].lower()
