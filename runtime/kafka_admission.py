"""Whether the brokers let us in, asked once at a process's start: clients retry for ever whatever the answer was.

Only what nobody but the operator can mend is an error here: credentials, encryption. A broker that is away or starting is
none.
"""

from __future__ import annotations

import asyncio
import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError

from runtime.errors import SettingsError
from runtime.kafka import Kafka

ANSWER_SECONDS = 5.0
CREDENTIALS = "kafka.sasl.username and kafka.sasl.password (CATALOGIZER_KAFKA__SASL_PASSWORD)"
PROTOCOL = "kafka.security.protocol (CATALOGIZER_KAFKA__SECURITY_PROTOCOL)"
AUTHORITIES = "kafka.ssl.truststore.location (CATALOGIZER_KAFKA__SSL_CAFILE)"


async def check_admission(kafka: Kafka) -> None:
    """Return where a broker lets us in, or none can be asked. Raises SettingsError where one that answers does not."""
    servers = (kafka.settings.bootstrap_servers or "").split(",")
    refusals = await asyncio.gather(*(_refusal(kafka, server.strip()) for server in servers))
    if all(refusal is not None for refusal in refusals):
        raise SettingsError(tuple(dict.fromkeys(refusal for refusal in refusals if refusal is not None)))


async def _refusal(kafka: Kafka, server: str) -> str | None:
    host, _, port = server.rpartition(":")
    options = kafka.connection()
    del options["bootstrap_servers"]
    try:
        connection = await create_conn(
            host.strip("[]"), int(port), request_timeout_ms=int(ANSWER_SECONDS * 1_000), **options
        )
        connection.close()
    except ssl.SSLCertVerificationError as error:
        return f"{AUTHORITIES}: the certificate of {server} is not trusted: {error.verify_message}"
    except ssl.SSLError:
        return f"{PROTOCOL}: {server} does not speak TLS"
    except (KafkaConnectionError, OSError, TimeoutError, asyncio.IncompleteReadError):
        if "ssl_context" not in options and await _speaks_tls(host.strip("[]"), int(port)):
            return f"{PROTOCOL}: {server} wants TLS"
        return None
    except KafkaError as error:
        return f"{CREDENTIALS}: {server} refuses them ({type(error).__name__})"
    if "sasl_mechanism" in options:
        return None
    return await _unasked(kafka, server)


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


async def _speaks_tls(host: str, port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
