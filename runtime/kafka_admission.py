"""Checks once, when a process starts, whether the brokers admit it: Kafka clients retry forever, whatever the error was.

Only what the operator must correct is an error here: credentials and encryption. A broker that is unreachable or starting is
no error.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from typing import Any

from aiokafka.conn import AIOKafkaConnection, OAuthAuthenticator, collect_hosts
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    UnsupportedSaslMechanismError,
)

from runtime.errors import SettingsError
from runtime.kafka import Kafka
from runtime.kafka_security import AUTHORITIES, CERTIFICATE, subject
from runtime.kafka_tokens import CLIENT, TokenError

ANSWER_SECONDS = 5.0
CLOSE_SECONDS = 1.0
CREDENTIALS = "kafka.sasl.username and kafka.sasl.password (CATALOGIZER_KAFKA__SASL_PASSWORD)"
MECHANISM = "kafka.sasl.mechanism (CATALOGIZER_KAFKA__SASL_MECHANISM)"
PROTOCOL = "kafka.security.protocol (CATALOGIZER_KAFKA__SECURITY_PROTOCOL)"
_SERVER = "\0"
"""Placeholder for the server's name, so that equal messages of several brokers can be merged."""
_WANTED = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "HANDSHAKE_FAILURE")
"""TLS alerts with which brokers reject a client that presents no certificate."""


async def check_admission(kafka: Kafka) -> None:
    """Return if a broker admits us, or if none can be reached. Raises SettingsError if those that answer reject us."""
    servers = (kafka.settings.bootstrap_servers or "").split(",")
    refusals = await asyncio.gather(*(_refusal(kafka, server.strip()) for server in servers))
    by_refusal: dict[str, list[str]] = {}
    for server, refusal in zip(servers, refusals, strict=True):
        if refusal is None:
            return
        by_refusal.setdefault(refusal.replace(server.strip(), _SERVER), []).append(server.strip())
    raise SettingsError(tuple(text.replace(_SERVER, ", ".join(of)) for text, of in by_refusal.items()))


async def _refusal(kafka: Kafka, server: str) -> str | None:
    options = kafka.connection()
    del options["bootstrap_servers"]
    try:
        await _connect(server, **options)
    except TokenError as error:
        return None if error.retryable else str(error)
    except ssl.SSLCertVerificationError as error:
        return f"{AUTHORITIES}: the certificate of {server} is not trusted: {error.verify_message}"
    except (KafkaConnectionError, OSError, TimeoutError) as error:  # unreachable, or another protocol is expected
        if (alert := _alert(error)) is not None:
            return _certificate_refused(kafka, server, alert)
        if "ssl_context" not in options:
            return f"{PROTOCOL}: {server} requires TLS" if await _speaks_tls(server) else None
        return f"{PROTOCOL}: {server} does not speak TLS" if await _speaks_plainly(server) else None
    except IllegalSaslStateError:
        return f"{PROTOCOL}: {server} does not accept SASL"
    except UnsupportedSaslMechanismError:
        return f"{MECHANISM}: {server} does not accept {kafka.settings.sasl_mechanism}"
    except KafkaError as error:
        return _sign_in_refused(kafka, server, error)
    return None if "sasl_mechanism" in options else await _sign_in_required(kafka, server)


def _sign_in_refused(kafka: Kafka, server: str, error: KafkaError) -> str:
    of = kafka.settings
    if kafka.tokens is not None:
        client = kafka.tokens.client
        return (
            f"{CLIENT}: {server} refuses the token of {client.id} from {client.endpoint}: its issuer, audience, scope or"
            " keys are not those that the brokers are configured with"
        )
    return f"{CREDENTIALS}: {server} refuses them for {of.sasl_username} ({type(error).__name__})"


def _certificate_refused(kafka: Kafka, server: str, alert: str) -> str:
    of, words = kafka.settings, alert.lower().replace("_", " ")
    if of.ssl_certfile is None:
        if alert.endswith(_WANTED):
            return f"{CERTIFICATE}: not set; {server} requires a client certificate"
        return f"{PROTOCOL}: {server} ends the handshake: {words}"
    return f"{CERTIFICATE}: {server} refuses the certificate in {of.ssl_certfile} ({subject(of)}): {words}"


def _alert(error: BaseException) -> str | None:
    """The alert with which the server ended TLS, such as UNKNOWN_CA, if there was one."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            _, found, alert = (cause.reason or "").partition("_ALERT_")
            if found:
                return alert
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


class _Answering(OAuthAuthenticator):  # type: ignore[misc]  # aiokafka has no types
    """A broker that rejects a token sends a challenge, which the client must answer before the broker reports the failure
    (RFC 7628, 3.2.3). aiokafka takes the challenge for success, and its next request then finds the connection closed."""

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """The next message to send; None at the end."""
        if self._token_sent and payload:
            return b"\x01", True
        step: tuple[bytes, bool] | None = await super().step(payload)
        return step


class _Connection(AIOKafkaConnection):  # type: ignore[misc]
    def authenticator_oauth(self) -> _Answering:
        """Of SASL/OAUTHBEARER."""
        return _Answering(sasl_oauth_token_provider=self._sasl_oauth_token_provider)


async def _connect(server: str, **options: Any) -> None:
    [(host, port, _)] = collect_hosts(server)
    connection = _Connection(host, port, request_timeout_ms=int(ANSWER_SECONDS * 1_000), **options)
    try:
        await connection.connect()
    finally:
        closed = connection.close()
        if connection._protocol is not None:  # it was open
            await asyncio.wait({closed}, timeout=CLOSE_SECONDS)
        await asyncio.sleep(0)


async def _sign_in_required(kafka: Kafka, server: str) -> str | None:
    """The fault if a listener requires authentication: it answers the request for its API versions, and then closes."""
    client = kafka.bare_client(server)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await client.bootstrap()
    except (KafkaConnectionError, TimeoutError):
        return f"{PROTOCOL}: {server} requires authentication"
    finally:
        await client.close()
    return None


async def _speaks_plainly(server: str) -> bool:
    try:
        await _connect(server)
    except (KafkaError, OSError, TimeoutError):
        return False
    return True


async def _speaks_tls(server: str) -> bool:
    [(host, port, _)] = collect_hosts(server)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), CLOSE_SECONDS)
    writer.transport.abort()  # in case the server does not complete the closing handshake
    await asyncio.sleep(0)  # the event loop closes the aborted transport in its next iteration
    return True
