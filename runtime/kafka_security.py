"""How a Kafka client authenticates, and which servers it trusts: turns settings into aiokafka's options.

What can be checked locally is checked here: missing files, a key that does not match its certificate, a key's wrong password
and an expired certificate raise SettingsError, which names the setting and the file. `runtime.kafka_admission` checks what
only the brokers know.
"""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.errors import SettingsError
from runtime.kafka_tokens import ENDPOINT, TokenClient, Tokens, check_endpoint
from runtime.settings import KafkaSettings

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

AUTHORITIES = "kafka.ssl.truststore.location (CATALOGIZER_KAFKA__SSL_CAFILE)"
CERTIFICATE = "kafka.ssl.keystore.location (CATALOGIZER_KAFKA__SSL_CERTFILE)"
KEY = "kafka.ssl.key.location (CATALOGIZER_KAFKA__SSL_KEYFILE)"
KEY_PASSWORD = "kafka.ssl.key.password (CATALOGIZER_KAFKA__SSL_KEY_PASSWORD)"  # noqa: S105 - its setting
_STORES = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce", b"0\x82", b"0\x80")
"""The first bytes of a JKS, a JCEKS and, in DER, a PKCS12 file."""


def tokens_for(settings: KafkaSettings) -> Tokens | None:
    """The token source, if the settings choose OAUTHBEARER; else None. Raises SettingsError if a setting is missing."""
    if not settings.security_protocol.startswith("SASL") or settings.sasl_mechanism != "OAUTHBEARER":
        return None
    secret = settings.sasl_oauthbearer_client_secret
    endpoint, client = settings.sasl_oauthbearer_token_endpoint_url, settings.sasl_oauthbearer_client_id
    faults = tuple(_missing(settings))
    if faults or endpoint is None or client is None or secret is None:
        raise SettingsError(faults)
    if wrong := check_endpoint(endpoint):
        raise SettingsError((f"{ENDPOINT}: {wrong}",))
    pairs = (settings.sasl_oauthbearer_extensions or "").split(",")
    extensions = tuple((name, value) for name, _, value in (pair.partition("=") for pair in pairs) if name)
    return Tokens(
        TokenClient(
            endpoint,
            client,
            secret.get_secret_value(),
            settings.sasl_oauthbearer_scope,
            settings.sasl_oauthbearer_cafile,
            extensions,
        )
    )


def _missing(settings: KafkaSettings) -> Iterator[str]:
    for name in ("token_endpoint_url", "client_id", "client_secret"):
        field = f"sasl_oauthbearer_{name}"
        if getattr(settings, field) is None:
            alias = type(settings).model_fields[field].alias
            yield f"kafka.{alias} (CATALOGIZER_KAFKA__{field.upper()}): not set; OAUTHBEARER requires it"


def sasl_options(settings: KafkaSettings, tokens: Tokens | None) -> dict[str, Any]:
    """The options for SASL; empty without it. Raises SettingsError if user or password is missing."""
    if not settings.security_protocol.startswith("SASL"):
        return {}
    if tokens is not None:
        return {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": tokens}
    password = settings.sasl_password
    faults = tuple(
        f"kafka.sasl.{name} (CATALOGIZER_KAFKA__SASL_{name.upper()}): not set; {settings.sasl_mechanism} requires it"
        for name, value in (("username", settings.sasl_username), ("password", password))
        if value is None
    )
    if faults or password is None:
        raise SettingsError(faults)
    return {
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": password.get_secret_value(),
    }


def tls_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """The trusted authorities and our own certificate; None without TLS. Files are read each time, so the next client uses
    a renewed certificate. Raises SettingsError."""
    if not settings.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
    except OSError as error:
        raise SettingsError((_unreadable(AUTHORITIES, settings.ssl_cafile, error),)) from error
    if settings.ssl_certfile is not None:
        _show(context, settings, settings.ssl_certfile)
    elif settings.ssl_keyfile is not None:
        raise SettingsError((f"{CERTIFICATE}: not set; {settings.ssl_keyfile} is the key of one",))
    return context


def subject(settings: KafkaSettings) -> str | None:
    """Our certificate's subject, as Kafka writes a principal without mapping rules (RFC 2253); None without a certificate.
    Raises SettingsError."""
    if settings.ssl_certfile is None or not settings.security_protocol.endswith("SSL"):
        return None
    return _certificate(settings.ssl_certfile).subject.rfc4514_string()


def _show(context: ssl.SSLContext, settings: KafkaSettings, file: Path) -> None:
    certificate = _certificate(file)
    now = datetime.datetime.now(datetime.UTC)
    whose = f"{file} ({certificate.subject.rfc4514_string()})"
    if certificate.not_valid_after_utc < now:
        ended = f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        raise SettingsError((f"{CERTIFICATE}: the certificate in {whose} ended on {ended}: have it renewed",))
    if certificate.not_valid_before_utc > now:
        begins = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        raise SettingsError(
            (f"{CERTIFICATE}: the certificate in {whose} is valid from {begins} on: is the clock right?",)
        )
    key = settings.ssl_keyfile or file
    password_used = False

    def password() -> str:
        """Always returns a value: without one OpenSSL would prompt on the terminal."""
        nonlocal password_used
        password_used = True
        given = settings.ssl_key_password
        return "" if given is None else given.get_secret_value()

    try:
        context.load_cert_chain(file, settings.ssl_keyfile, password)
    except OSError as error:  # of `ssl` too
        raise SettingsError((_key_fault(settings, key, error, password_used=password_used),)) from error


def _key_fault(settings: KafkaSettings, key: Path, error: OSError, *, password_used: bool) -> str:
    reason = getattr(error, "reason", None) or ""
    setting = KEY if settings.ssl_keyfile is not None else CERTIFICATE
    if "MISMATCH" in reason:
        return f"{setting}: the key in {key} is not that of the certificate in {settings.ssl_certfile}"
    if password_used and settings.ssl_key_password is None:
        return f"{KEY_PASSWORD}: not set; the key in {key} is encrypted"
    if password_used:
        return f"{KEY_PASSWORD}: does not open the key in {key}"
    if isinstance(error, ssl.SSLError):
        return f"{setting}: {key} has no key in PEM (-----BEGIN PRIVATE KEY-----)"
    return _unreadable(setting, key, error)


def _certificate(file: Path) -> Certificate:
    from cryptography import x509  # imported here: only processes with a certificate need it

    try:
        return x509.load_pem_x509_certificates(file.read_bytes())[0]
    except OSError as error:
        raise SettingsError((_unreadable(CERTIFICATE, file, error),)) from error
    except ValueError as error:
        raise SettingsError((_no_pem(CERTIFICATE, file),)) from error


def _unreadable(setting: str, file: Path | None, error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and file is not None:
        return _no_pem(setting, file)
    return f"{setting}: {file} cannot be read: {error.strerror or error}"


def _no_pem(setting: str, file: Path) -> str:
    """The fault of a file that can be opened and has no certificate in PEM."""
    if file.read_bytes()[:4].startswith(_STORES):
        return (
            f"{setting}: {file} is a key store of Java's: write what is in it into a PEM file"
            " (`openssl pkcs12 -in STORE.p12 -out FILE.pem`; of a JKS make a PKCS12 first by `keytool -importkeystore`)"
        )
    return f"{setting}: {file} has no certificate in PEM (-----BEGIN CERTIFICATE-----)"
