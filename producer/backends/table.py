"""The one way from a root's protocol to its back-end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from producer.backends.interface import Backend
from producer.backends.local.backend import LocalBackend
from producer.backends.smb.backend import SmbBackend
from producer.settings import RootSpec
from schemas.raw import Protocol

BACKENDS: Mapping[Protocol, Callable[[RootSpec], Backend]] = {
    "local": lambda spec: LocalBackend(spec.path),
    "smb": lambda spec: SmbBackend(spec.share_there),
}


def backend_of(spec: RootSpec) -> Backend:
    """The root's back-end. The settings admit only protocols of the table."""
    return BACKENDS[spec.protocol](spec)
