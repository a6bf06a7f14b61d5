"""Maps a root's protocol to its back-end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from producer.backends.chosen import Chosen
from producer.backends.interface import Backend
from producer.backends.local.backend import LocalBackend
from producer.backends.polling.schedule import Pace
from producer.backends.smb.backend import SmbBackend
from producer.settings import RootSpec
from schemas.raw import Protocol

BACKENDS: Mapping[Protocol, Callable[[RootSpec], Backend]] = {
    "local": lambda spec: LocalBackend(spec.path, _chosen(spec)),
    "smb": lambda spec: SmbBackend(spec.share_address),
}


def _chosen(spec: RootSpec) -> Chosen:
    polling = spec.polling
    return Chosen(spec.watch, Pace(polling.hot_seconds, polling.cold_seconds, polling.looks_per_second))


def backend_of(spec: RootSpec) -> Backend:
    """The root's back-end. The settings admit only protocols of the table."""
    return BACKENDS[spec.protocol](spec)
