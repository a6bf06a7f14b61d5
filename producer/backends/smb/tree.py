"""A share's folder, opened, behind the interface `Tree`.

A share has no descriptor for an open folder: each path is opened from the share's root. Where the folder itself is taken
away meanwhile everything seems gone, and that is recorded only if the root is there afterwards (`producer.verifier`). A
listing does not give a file's number of names: each name is a file of its own."""

from __future__ import annotations

import hashlib
from typing import Self

from producer.core.facts import Print
from producer.core.fingerprint import SAMPLE, WHOLE, starts, xxh3_of
from producer.core.identity import Faulty
from producer.errors import RootFault, Unreadable
from schemas.identity import same_content
from schemas.raw import FileState, RootIdentity
from storage.errors import ShareFault, StorageError
from storage.errors import Unreadable as UnreadableThere
from storage.smb.files import Files, OpenFile


class SmbTree:
    """`dev`: the volume's number."""

    def __init__(self, files: Files, dev: int) -> None:
        self._files = files
        self.identity = RootIdentity(dev, files.root.inode, dev)
        self.is_empty = files.is_empty

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open between two requests."""

    def stat(self, path: str) -> FileState | None:
        """See the interface."""
        try:
            return self._files.stat(path)
        except UnreadableThere as error:
            raise Unreadable(path, error.reason) from error
        except ShareFault as fault:
            raise root_fault(fault) from fault

    def entries(self, path: str) -> list[tuple[str, FileState]] | None:
        """See the interface."""
        try:
            return self._files.entries(path)
        except UnreadableThere as error:
            raise Unreadable(path, error.reason) from error
        except ShareFault as fault:
            raise root_fault(fault) from fault

    def fingerprint(self, path: str, seen: FileState) -> Print | None:
        """See the interface."""
        try:
            whole = self._files.whole(path, WHOLE)
            if whole is not None:
                state, content = whole
                if not same_content(seen, state):
                    return None
                md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
                xxh3 = xxh3_of(state.size, lambda length, start: content[start : start + length])
                return Print(state.size, state.mtime_ns, state.inode, xxh3, md5)
            with self._files.opened(path) as file:
                before = file.found
                if before.type != "file" or not same_content(seen, before):
                    return None
                samples, after = self._sampled(file, before.size)
                if after != before:
                    return None
                xxh3 = xxh3_of(before.size, lambda _, start: samples[start])
        except StorageError:  # gone, not readable, or the share is lost: the next scan tries again
            return None
        return Print(before.size, before.mtime_ns, before.inode, xxh3)

    def piece(self, path: str, start: int, length: int) -> tuple[FileState, bytes] | None:
        """See the interface."""
        try:
            with self._files.opened(path) as file:
                if file.found.type != "file":
                    return None
                content = file.read(length, start)
                return (file.found, content) if file.state() == file.found else None
        except StorageError:
            return None

    @staticmethod
    def _sampled(file: OpenFile, size: int) -> tuple[dict[int, bytes], FileState]:
        """The samples by where they begin, and the state after they were read."""
        places = starts(size)
        found, after = file.pieces(SAMPLE, places)
        samples = dict(zip(places, found, strict=True))
        short = [start for start, sample in samples.items() if len(sample) < min(SAMPLE, size - start)]
        if short:
            samples |= {start: file.read(SAMPLE, start) for start in short}
            after = file.state()
        return samples, after


def root_fault(fault: ShareFault, again_seconds: float | None = None) -> RootFault:
    """The share cannot be used, so neither can the root."""
    return RootFault(Faulty(fault.cause, fault.detail, again_seconds=again_seconds))
