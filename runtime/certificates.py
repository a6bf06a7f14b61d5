"""Expiry times of the certificates that a process is configured with, as gauges.

Covers only files that settings name: trusted authorities, and certificates that we present to others. A file that was
renewed on disk is noticed at the next check.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography import x509

from runtime import metrics
from runtime.settings import KafkaSettings

EVERY_SECONDS = 60.0


def first_end(pem: bytes) -> float:
    """The earliest expiry among the certificates of a PEM file, Unix time. Raises ValueError if the file has none."""
    return min(found.not_valid_after_utc.timestamp() for found in x509.load_pem_x509_certificates(pem))


def files_of_kafka(settings: KafkaSettings) -> tuple[Path, ...]:
    """The certificate files that connections to Kafka use."""
    file = settings.ssl_cafile if settings.security_protocol.endswith("SSL") else None
    return () if file is None else (file,)


class Certificates:
    """Checks certificate files at most once a minute, however often `show` is called. `clock`: monotonic seconds."""

    def __init__(self, files: Iterable[Path], clock: Callable[[], float] = time.monotonic) -> None:
        self._files = tuple(dict.fromkeys(files))
        self._clock = clock
        self._looked_at = float("-inf")

    def show(self) -> None:
        """Set the gauges. A file that cannot be read, or has no certificate, sets the gauge for unreadable files."""
        now = self._clock()
        if now - self._looked_at < EVERY_SECONDS:
            return
        self._looked_at = now
        for file in self._files:
            name = str(file)
            try:
                ends = first_end(file.read_bytes())
            except (OSError, ValueError):
                metrics.CERTIFICATE_UNREADABLE.labels(name).set(1)
            else:
                metrics.CERTIFICATE_UNREADABLE.labels(name).set(0)
                metrics.CERTIFICATE.labels(name).set(ends)
