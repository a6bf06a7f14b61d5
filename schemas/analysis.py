"""Analysis jobs (topics `catalog.analysis.jobs.v1` and `catalog.analysis.requested.v1`, key = media id) and covers
(`catalog.covers.v1`)."""

from __future__ import annotations

from msgspec import Struct

from schemas.found import MediaType
from schemas.raw import FileState


class Job(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request to probe one file. `job` is its deterministic id, which the result repeats. Workers of other sites skip
    it. `attempt` counts from 1; `request`: the analysis on request that the job belongs to. Such a job is probed
    whatever is known of the file, and waits while files that have changed are analysed."""

    job: str
    media_id: int
    library: str
    root: str
    site: str
    path: str
    file: FileState
    media_type: MediaType
    path_b64: str | None = None
    attempt: int = 1
    request: int | None = None


class Cover(Struct, frozen=True, kw_only=True):
    """A thumbnail of at most 64 KiB; `data` is base64 in JSON. Key and `hash`: BLAKE2b-128 of `data`, hex."""

    hash: str
    mime: str
    width: int
    height: int
    data: bytes
