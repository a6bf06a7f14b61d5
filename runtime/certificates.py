"""When the certificates end that a process is configured with, as gauges.

Only files that settings name: authorities that are trusted, and certificates that we show others. What is renewed on disk
is seen at the next look.
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
    """When the first of the certificates of a PEM file ends, Unix time. Raises ValueError where there is none."""
    return min(found.not_valid_after_utc.timestamp() for found in x509.load_pem_x509_certificates(pem))


def files_of_kafka(settings: KafkaSettings) -> tuple[Path, ...]:
    """The files of certificates that connections to Kafka use."""
    file = settings.ssl_cafile if settings.security_protocol.endswith("SSL") else None
    return () if file is None else (file,)


class Certificates:
    """A look at files, asked for as often as anybody likes and taken once a minute. `clock`: monotonic seconds."""

    def __init__(self, files: Iterable[Path], clock: Callable[[], float] = time.monotonic) -> None:
        self._files = tuple(dict.fromkeys(files))
        self._clock = clock
        self._looked_at = float("-inf")

    def show(self) -> None:
        """Set the gauges. A file that cannot be read, or in which no certificate is, is shown as that."""
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
