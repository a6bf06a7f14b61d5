"""What can go wrong in the producer.

ProducerError
├── StateLocked       another process works on this state folder
├── LibraryChanged    a root was given to another library than its outbox belongs to
├── RootReset         the stored state of a root is no longer valid: the root starts over (retryable)
├── NestedRoots       a root lies inside another one
├── Unencodable       the process cannot carry file names as bytes
├── RootFault         the root as a whole cannot be observed now (retryable)
├── Unreadable        one path below a healthy root cannot be read (retryable)
├── WatchUnavailable  the system provides no watch now: the root is scanned instead (retryable)
└── NotAcknowledged   the log did not acknowledge records in time (retryable; they may or may not be in it)
"""

from __future__ import annotations

from pathlib import Path

from producer.core.identity import Faulty


class ProducerError(Exception):
    """Root of the tree."""

    retryable = False


class StateLocked(ProducerError):
    """Two producers on one outbox would give the same sequence numbers to different records."""

    def __init__(self, folder: Path, who: str) -> None:
        self.folder = folder
        super().__init__(f"{folder} is in use by another producer{who}: stop it, or set another producer.name")


class LibraryChanged(ProducerError):
    """The order of a library's records is one lane; a root cannot change lanes."""

    def __init__(self, root: str, before: str, now: str) -> None:
        self.root = root
        self.before = before
        self.now = now
        super().__init__(
            f"root {root!r} belongs to library {before!r} and is configured for {now!r}: "
            "give it back, or declare the folder as a root of another name"
        )


class RootReset(ProducerError):
    """The root was retired, and is watched again: everything in it is recorded again."""

    retryable = True

    def __init__(self, root: str) -> None:
        self.root = root
        super().__init__(f"root {root!r} was taken out of the catalogue, or may have been: it starts over")


class NestedRoots(ProducerError):
    """A file inside both would be two files of the catalogue, each deleted when the other root's patterns exclude it."""

    def __init__(self, outer: str, inner: str, path: Path) -> None:
        self.outer = outer
        self.inner = inner
        self.path = path
        super().__init__(
            f"root {inner!r} ({path}) lies inside root {outer!r}: no file may belong to two roots; "
            "take one of them out of the settings"
        )


class Unencodable(ProducerError):
    """Names are bytes, carried by Python's surrogateescape, which needs UTF-8 as file-system encoding."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        super().__init__(f"file-system encoding is {encoding}, not utf-8: start with PYTHONUTF8=1")


class RootFault(ProducerError):
    """Raised when an access to the tree shows that the root itself is not there; what was read so far is void."""

    retryable = True

    def __init__(self, faulty: Faulty) -> None:
        self.faulty = faulty
        super().__init__(f"{faulty.cause}: {faulty.detail}")


class Unreadable(ProducerError):
    """The path may or may not be there: nothing may be recorded for it."""

    retryable = True

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path!r}: {reason}")


class WatchUnavailable(ProducerError):
    """Changes of the root are not reported until watching is tried again."""

    retryable = True

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NotAcknowledged(ProducerError):
    """The same records are to be sent again, with the same sequence numbers."""

    retryable = True

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
