"""Whose certificates are trusted where alerts are sent to over TLS, and what an error of TLS means for people.

The file of authorities is read for each connection, so that a renewed one is used without a restart.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import SettingsError

CAFILE = "CATALOGIZER_ALERTS__CAFILE"


@dataclass(frozen=True, slots=True)
class Trust:
    """`cafile`: PEM file of the authorities; None: those that the system trusts."""

    cafile: Path | None = None

    def context(self) -> ssl.SSLContext:
        """For one connection; certificate and host name are verified. Raises SettingsError if the file cannot be read or
        has no certificate."""
        try:
            return ssl.create_default_context(cafile=self.cafile)
        except ssl.SSLError as error:
            raise SettingsError((f"{CAFILE}: {self.cafile} has no certificate in PEM",)) from error
        except OSError as error:
            raise SettingsError((f"{CAFILE}: {self.cafile} cannot be read: {error.strerror}",)) from error


def fault_of(error: OSError, server: str) -> str:
    """An error of a connection in one sentence. `server`: host and port."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".")
        return f"the certificate of {server} is not trusted: {why}; {CAFILE} names the trusted authorities"
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return f"{server} does not speak TLS: it is another port, or another protocol"
    if isinstance(error, TimeoutError):
        return f"no answer from {server} in time"
    return f"{server}: {type(error).__name__}: {error}"


_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})
"""What OpenSSL calls an answer that is no TLS, by versions."""
