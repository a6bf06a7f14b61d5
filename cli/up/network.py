"""Connections to package registries: which certificates are trusted, and what a failure means.

Used for everything that is fetched: by pip and uv (`infra/bootstrap.py`), and by `requests` (Kafka's jars). All trust the
system's list, or what SSL_CERT_FILE or SSL_CERT_DIR names instead, so a company's proxy that one of them trusts is trusted
by all. Uses only the standard library, because it runs before anything is installed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

LISTS = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Gentoo
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, Red Hat
    "/etc/pki/tls/certs/ca-bundle.crt",  # older ones of these
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine
)
"""Where systems keep their list of trusted certificates."""
_OWN_LISTS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that configure `requests`, also within pip."""


def trusted(environment: Mapping[str, str]) -> str | None:
    """The file or folder of trusted certificates that `requests` should use instead of its own list; None if the user has
    configured one for it, or the system has none. Raises ValueError if SSL_CERT_FILE names no file."""
    if any(environment.get(name) for name in _OWN_LISTS):
        return None
    if file := environment.get("SSL_CERT_FILE"):
        if not Path(file).is_file():
            raise ValueError(f"SSL_CERT_FILE names {file}, which is not a file")
        return file
    folders = [path for path in environment.get("SSL_CERT_DIR", "").split(os.pathsep) if path]
    return next((path for path in (*folders, *LISTS) if Path(path).exists()), None)


CAUSES = (
    ("No space left on device|Disk quota exceeded", "the disk is full"),
    ("DO NOT MATCH THE HASHES|Hash mismatch", "what came does not have the pinned hash"),
    (
        "failed: 407|407 Client Error|407 Proxy|proxy authorization required",
        "the proxy wants a sign-in: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT",
    ),
    (
        "certificate has expired|certificate expired",
        "the certificate of the registry, or of a proxy, has expired",
    ),
    (
        "certificate is not yet valid|certificate not valid yet",
        "the certificate of the registry, or of a proxy, is not valid yet; is this machine's clock right?",
    ),
    (
        "[Hh]ostname mismatch|IP address mismatch|doesn't match|certificate not valid for name",
        "the certificate that came is for another host name",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED|invalid peer certificate",
        "the certificate of the registry, or of a proxy, is not trusted; a company's own CA is named by "
        "SSL_CERT_FILE=/path/to/ca.pem",
    ),
    (
        "suitable TLS CA certificate bundle|NO_CERTIFICATE_OR_CRL_FOUND|no certificate or crl found",
        "the list of trusted certificates is none (SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE, PIP_CERT)",
    ),
    ("WRONG_VERSION_NUMBER|wrong version number|InvalidContentType", "what answers does not speak TLS"),
    (
        "name resolution|Name or service not known|No address associated|dns error",
        "the host name cannot be resolved (DNS); is there a network?",
    ),
    (
        "[Cc]onnection refused",
        "the connection was refused by the registry, or by the proxy that HTTPS_PROXY names",
    ),
    ("[Tt]imed out", "no answer in time, from the registry or a proxy"),
    ("[Nn]etwork is unreachable|No route to host", "there is no network, or none that leads there"),
    (
        "failed: 403|403 Client Error|403 Forbidden|tunnel error: unsuccessful",
        "access was refused (403) by the registry or a proxy",
    ),
    ("401 Client Error|401 Unauthorized", "the registry wants a sign-in (401)"),
    (
        "404 Client Error|404 Not Found|not found in the package registry",
        "the registry does not have it (404)",
    ),
    (
        r"failed: 5\d\d|5\d\d Server Error|server error \(5\d\d|too many 5\d\d error",
        "the registry is out of order",
    ),
    ("[Cc]onnection reset|[Cc]onnection aborted|IncompleteRead|closed before|end of file", "the connection broke"),
    ("No matching distribution", "the registry does not have it"),
    ("Permission denied", "permission was denied, to write or to run a program"),
)
"""Patterns of tools' messages (the first match counts), and their meanings."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def cause(output: str) -> str:
    """The meaning of a tool's output, in one line; empty if unknown. Terminal escape sequences are ignored."""
    text = " ".join(_ESCAPES.sub("", output).split())
    return next((meaning for pattern, meaning in CAUSES if re.search(pattern, text)), "")
