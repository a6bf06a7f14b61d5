"""One job, from its file to its result. Every job ends: a file that cannot be opened is `unreadable`, one that the probe
cannot process is `failed`, and what was read of a file that changes meanwhile is discarded.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from msgspec import structs

from schemas.analysis import Cover, Job
from schemas.found import Found
from schemas.identity import Stamp, same_content, stamp_of
from schemas.paths import display, from_wire
from schemas.raw import Result, ResultStatus
from storage.errors import StorageError
from storage.share import Share
from streams.analysis import wire
from streams.analysis.files import Probed, Unprobeable, opened_below
from streams.analysis.shares import Shares

Place = Path | Share

REMEMBERED = 2_048
"""Outcomes kept in memory, so that a job requested twice is not probed twice."""


class Prober(Protocol):
    """Probes an open file; always returns a reply."""

    async def probe(self, request: wire.Request, descriptor: int, seconds: float | None = None) -> wire.Reply:
        """See `children.Children`."""
        ...


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """The outcome of a job. `stamp`: of the content that was probed, or was to be; `cover`: still to be written,
    `found` refers to it by its hash."""

    stamp: Stamp
    status: ResultStatus
    reason: str | None = None
    found: Found | None = None
    cover: Cover | None = None


@dataclass(frozen=True, slots=True)
class _Key:
    root: str
    path: str
    stamp: Stamp


class Analyst:
    """Analyses the files of the roots that this site can reach. `place`: where a root is mounted here, or on which
    share it is; None if neither is known. `places`: whether the place where a photo was taken is published."""

    def __init__(
        self, place: Callable[[str], Place | None], prober: Prober, shares: Shares | None = None, *,
        places: bool = True,
    ) -> None:  # fmt: skip
        self._place = place
        self._places = places
        self._shares = Shares() if shares is None else shares
        self._prober = prober
        self._known: OrderedDict[_Key, JobOutcome] = OrderedDict()

    async def analyse(self, job: Job, seconds: float | None = None) -> JobOutcome:
        """Probe the file of a job, within `seconds`; None: within the maximum. Raises what the prober raises when it
        cannot work at all, or not in that time."""
        try:
            return await self._analyse(job, from_wire(job.path, job.path_b64), seconds)
        except Unprobeable as error:
            return JobOutcome(stamp_of(job.file), "unreadable", error.reason)

    def remember(self, job: Job, outcome: JobOutcome) -> None:
        """Remember the outcome after its cover has been written: the same file needs no other probe."""
        if outcome.status == "unreadable":
            return
        self._known[_Key(job.root, job.path, outcome.stamp)] = without_cover(outcome)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    async def _analyse(self, job: Job, path: str, seconds: float | None) -> JobOutcome:
        expected = stamp_of(job.file)
        opening = self._opening(job.root, path, expected)
        file = await asyncio.to_thread(opening.__enter__)
        try:
            known = self._known.get(_Key(job.root, job.path, expected))
            if known is not None and job.request is None:
                return known
            request = wire.Request(job.media_type, display(path), file.size)
            reply = await self._prober.probe(request, file.descriptor, seconds)
            if not same_content(await asyncio.to_thread(file.stamp), expected):
                raise Unprobeable("the file changed while it was read")
        except (OSError, StorageError) as error:
            raise Unprobeable("the file could not be looked at after it was read") from error
        finally:
            await asyncio.to_thread(opening.__exit__, None, None, None)
        return _outcome(expected, reply if self._places else without_place(reply))

    def _opening(self, root: str, path: str, expected: Stamp) -> AbstractContextManager[Probed]:
        match self._place(root):
            case Share() as share:
                return self._shares.open_below(share, path, expected)
            case None:
                raise Unprobeable(f"this site does not know where root {root} is (streams.analysis.roots)")
            case place:
                return opened_below(place, path, expected)


def result(job: Job, outcome: JobOutcome) -> Result:
    """The record that ends the job."""
    return Result(
        job=job.job,
        media_id=job.media_id,
        root=job.root,
        size=outcome.stamp.size,
        mtime_ns=outcome.stamp.mtime_ns,
        inode=outcome.stamp.inode,
        status=outcome.status,
        reason=outcome.reason,
        found=outcome.found,
    )


def without_cover(outcome: JobOutcome) -> JobOutcome:
    """The outcome to remember: without the thumbnail, which is in the log already."""
    return JobOutcome(outcome.stamp, outcome.status, outcome.reason, outcome.found)


def without_place(reply: wire.Reply) -> wire.Reply:
    """The reply without the place where the photo was taken."""
    if reply.found is None or reply.found.taken_at is None:
        return reply
    return structs.replace(reply, found=structs.replace(reply.found, taken_at=None))


def _outcome(probed: Stamp, reply: wire.Reply) -> JobOutcome:
    if reply.picture is None:
        return JobOutcome(probed, reply.status, reply.reason, reply.found)
    cover = cover_of(reply.picture)
    found = structs.replace(reply.found or Found(), cover=cover.hash)
    return JobOutcome(probed, reply.status, reply.reason, found, cover)


def cover_of(picture: wire.Picture) -> Cover:
    """A thumbnail with the hash of its bytes: BLAKE2b-128, hex."""
    digest = hashlib.blake2b(picture.data, digest_size=16).hexdigest()
    return Cover(hash=digest, mime=picture.mime, width=picture.width, height=picture.height, data=picture.data)
