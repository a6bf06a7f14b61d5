"""The readers, one per media type, as they run inside a probing child. A new media type is a module here and a
line in READERS (and in `streams.core.rules`, which defines for which files a job is requested).

A reader gets an open file and its name and returns what it found; it opens nothing else. An exception becomes a
`failed` reply: a damaged file is a result, not an error of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import BinaryIO

from schemas.found import MediaType
from streams.analysis.probe import book, facts, image, played
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import sentence
from streams.analysis.wire import Reply, Request, failed

READERS: dict[MediaType, Callable[[BinaryIO, str], Read]] = {
    "video": played.read_video,
    "audio": played.read_audio,
    "image": image.read,
    "book": book.read,
    "other": facts.read,
}


def warm_up() -> None:
    """Load modules that are loaded lazily, so that the first probe is as fast as the others."""
    logging.disable()  # a parser's complaints about a file belong into the result and not into the log
    image.load_plugins()
    book.warm_up()


def probe(file: BinaryIO, request: Request) -> Reply:
    """Read one file; always returns a reply."""
    reader = READERS.get(request.media_type)
    if reader is None:
        return failed(f"there is no reader for {request.media_type}")
    try:
        read = reader(file, request.path)
    except Damaged as error:
        return failed(error.reason)
    except MemoryError:
        return failed("reading it takes more memory than is allowed")
    except OSError as error:
        return failed("it cannot be read to its end, or asks for what it may not have", fault=_described(error))
    except Exception as error:  # noqa: BLE001 - the child's outermost loop; parsers raise anything at all
        return failed("it is damaged in a way that nothing here can read", fault=_described(error))
    return Reply("done", None, read.found, read.picture)


def _described(error: Exception) -> str:
    return sentence(f"{type(error).__name__}: {error}")
