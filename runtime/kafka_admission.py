"""Whether the brokers let us in, asked once at a process's start: clients retry for ever whatever the answer was.

Only what nobody but the operator can mend is an error here: credentials, encryption. A broker that is away or starting is
none.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    UnsupportedSaslMechanismError,
)

from runtime.errors import SettingsError
from runtime.kafka import Kafka

ANSWER_SECONDS = 5.0
CLOSE_SECONDS = 1.0
CREDENTIALS = "kafka.sasl.username and kafka.sasl.password (CATALOGIZER_KAFKA__SASL_PASSWORD)"
MECHANISM = "kafka.sasl.mechanism (CATALOGIZER_KAFKA__SASL_MECHANISM)"
PROTOCOL = "kafka.security.protocol (CATALOGIZER_KAFKA__SECURITY_PROTOCOL)"
AUTHORITIES = "kafka.ssl.truststore.location (CATALOGIZER_KAFKA__SSL_CAFILE)"


async def check_admission(kafka: Kafka) -> None:
    """Return where a broker lets us in, or none can be asked. Raises SettingsError where one that answers does not."""
    servers = (kafka.settings.bootstrap_servers or "").split(",")
    refusals = await asyncio.gather(*(_refusal(kafka, server.strip()) for server in servers))
    if all(refusal is not None for refusal in refusals):
        raise SettingsError(tuple(dict.fromkeys(refusal for refusal in refusals if refusal is not None)))


async def _refusal(kafka: Kafka, server: str) -> str | None:
    options = kafka.connection()
    del options["bootstrap_servers"]
    try:
        await _connect(server, **options)
    except ssl.SSLCertVerificationError as error:
        return f"{AUTHORITIES}: the certificate of {server} is not trusted: {error.verify_message}"
    except (KafkaConnectionError, OSError, TimeoutError):  # away, or it takes us for who speaks nonsense
        if "ssl_context" not in options:
            return f"{PROTOCOL}: {server} wants TLS" if await _speaks_tls(server) else None
        return f"{PROTOCOL}: {server} does not speak TLS" if await _speaks_plainly(server) else None
    except IllegalSaslStateError:
        return f"{PROTOCOL}: {server} does not take sign-ins"
    except UnsupportedSaslMechanismError:
        return f"{MECHANISM}: {server} does not take {kafka.settings.sasl_mechanism}"
    except KafkaError as error:
        return f"{CREDENTIALS}: {server} refuses them ({type(error).__name__})"
    return None if "sasl_mechanism" in options else await _unasked(kafka, server)


async def _connect(server: str, **options: Any) -> None:
    [(host, port, _)] = collect_hosts(server)
    connection = AIOKafkaConnection(host, port, request_timeout_ms=int(ANSWER_SECONDS * 1_000), **options)
    try:
        await connection.connect()
    finally:
        closed = connection.close()
        if connection._protocol is not None:  # it was open
            await asyncio.wait({closed}, timeout=CLOSE_SECONDS)
        await asyncio.sleep(0)


async def _unasked(kafka: Kafka, server: str) -> str | None:
    """A listener that wants credentials answers which versions it speaks, and then closes."""
    client = kafka.asking(server)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await client.bootstrap()
    except (KafkaConnectionError, TimeoutError):
        return f"{PROTOCOL}: {server} wants us to sign in"
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
    writer.transport.abort()  # where the other side does not take part in the end
    await asyncio.sleep(0)  # the event loop closes what was given up in its next step
    return True
