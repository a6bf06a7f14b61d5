"""A `client.properties` file of Kafka's own tools, read as our settings.

Decides which of Kafka's client settings correspond to ours, which can be ignored because we decide them ourselves, and
which request something that we do not support. It reads no file and no environment: text goes in, values or faults come
out. A fault never contains a value that may be a secret.

Names are those of Apache Kafka's configuration (CommonClientConfigs, SaslConfigs, SslConfigs) and, where it has one for a
PEM file that Java has not, of librdkafka.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runtime.errors import SettingsError
from runtime.properties_format import Entry, NotProperties, entries, login_of

SOURCE = "CATALOGIZER_KAFKA__PROPERTIES_FILE"
"""How faults name the file."""

OURS: Mapping[str, str] = {
    "bootstrap.servers": "bootstrap_servers",
    "metadata.broker.list": "bootstrap_servers",
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.mechanisms": "sasl_mechanism",
    "sasl.username": "sasl_username",
    "sasl.password": "sasl_password",
    "sasl.oauthbearer.token.endpoint.url": "sasl_oauthbearer_token_endpoint_url",
    "sasl.oauthbearer.client.credentials.client.id": "sasl_oauthbearer_client_id",
    "sasl.oauthbearer.client.credentials.client.secret": "sasl_oauthbearer_client_secret",
    "sasl.oauthbearer.client.id": "sasl_oauthbearer_client_id",
    "sasl.oauthbearer.client.secret": "sasl_oauthbearer_client_secret",
    "sasl.oauthbearer.scope": "sasl_oauthbearer_scope",
    "sasl.oauthbearer.extensions": "sasl_oauthbearer_extensions",
    "ssl.truststore.location": "ssl_cafile",
    "ssl.ca.location": "ssl_cafile",
    "ssl.keystore.location": "ssl_certfile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_key_password",
    "request.timeout.ms": "request_timeout_ms",
    "session.timeout.ms": "session_timeout_ms",
    "transaction.timeout.ms": "transaction_timeout_ms",
}
"""Kafka's names, and librdkafka's, of our settings."""

NOT_OURS = frozenset(
    """
    acks allow.auto.create.topics api.version.request auto.commit.interval.ms auto.offset.reset batch.size
    buffer.memory check.crcs client.dns.lookup client.id client.rack compression.type connections.max.idle.ms
    debug default.api.timeout.ms delivery.timeout.ms enable.auto.commit enable.idempotence enable.metrics.push
    exclude.internal.topics fetch.max.bytes fetch.max.wait.ms fetch.min.bytes group.id group.instance.id
    group.protocol heartbeat.interval.ms interceptor.classes isolation.level key.deserializer key.serializer
    linger.ms max.block.ms max.in.flight.requests.per.connection max.partition.fetch.bytes max.poll.interval.ms
    max.poll.records max.request.size metadata.max.age.ms metadata.max.idle.ms metadata.recovery.strategy
    metric.reporters metrics.num.samples metrics.recording.level metrics.sample.window.ms
    partition.assignment.strategy partitioner.class receive.buffer.bytes reconnect.backoff.max.ms
    reconnect.backoff.ms retries retry.backoff.max.ms retry.backoff.ms send.buffer.bytes
    socket.connection.setup.timeout.max.ms socket.connection.setup.timeout.ms socket.keepalive.enable
    transactional.id value.deserializer value.serializer
    sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds
    sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor sasl.login.refresh.window.jitter
    sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms sasl.login.class
    ssl.keymanager.algorithm ssl.protocol ssl.secure.random.implementation ssl.trustmanager.algorithm
    """.split()  # noqa: SIM905 - a list of strings would be a line each
)
"""How a client reads, writes and waits: `runtime.kafka` decides that, so these settings are ignored."""
NOT_OURS_BELOW = (
    "schema.registry.",
    "basic.auth.",
    "bearer.auth.",
    "auto.register.",
    "use.latest.version",
    "confluent.",
)

LOGINS: Mapping[str, frozenset[str]] = {
    "PlainLoginModule": frozenset({"PLAIN"}),
    "ScramLoginModule": frozenset({"SCRAM-SHA-256", "SCRAM-SHA-512"}),
    "OAuthBearerLoginModule": frozenset({"OAUTHBEARER"}),
}
"""Kafka's login modules that are supported, with the mechanisms of each."""
_USER_OPTIONS = {"username": "sasl_username", "password": "sasl_password"}
_TOKEN_OPTIONS = {
    "clientId": "sasl_oauthbearer_client_id",
    "clientSecret": "sasl_oauthbearer_client_secret",
    "scope": "sasl_oauthbearer_scope",
    "ssl.truststore.location": "sasl_oauthbearer_cafile",
}

_TO_PEM = (
    "Java's key stores are not read here. Write the certificates into a PEM file: `keytool -exportcert -rfc -alias ALIAS"
    " -keystore STORE` (authorities), `openssl pkcs12 -in STORE.p12 -out FILE.pem` (key and certificate; a JKS becomes"
    " PKCS12 by `keytool -importkeystore -deststoretype PKCS12`), name that and set the type to PEM"
)
_TO_FILE = "write it into a PEM file, and name that by"
_USE_SCRAM = "is not supported; create an account for SCRAM-SHA-512, OAUTHBEARER or a client certificate"
REFUSED: Mapping[str, str] = {
    "ssl.truststore.certificates": f"certificates in the file itself are not read: {_TO_FILE} ssl.truststore.location",
    "ssl.keystore.certificate.chain": f"certificates in the file itself are not read: {_TO_FILE} ssl.keystore.location",
    "ssl.keystore.key": f"keys in the file itself are not read: {_TO_FILE} ssl.keystore.location, with the certificates",
    "ssl.key.pem": f"keys in the file itself are not read: {_TO_FILE} ssl.key.location",
    "ssl.certificate.pem": f"certificates in the file itself are not read: {_TO_FILE} ssl.certificate.location",
    "ssl.ca.pem": f"certificates in the file itself are not read: {_TO_FILE} ssl.ca.location",
    "ssl.cipher.suites": "cannot be chosen: OpenSSL's own list is used; take the line out",
    "ssl.provider": "is Java's; take the line out",
    "ssl.engine.factory.class": "is Java's; take the line out",
    "ssl.crl.location": "lists of revoked certificates are not read; take the line out",
    "sasl.kerberos.service.name": f"Kerberos {_USE_SCRAM}",
    "sasl.oauthbearer.assertion.private.key.file": "clients sign in at the token endpoint by id and secret alone",
    "sasl.oauthbearer.jwt.retriever.class": "is a Java class; tokens come from sasl.oauthbearer.token.endpoint.url",
    "security.providers": "is Java's; take the line out",
    "config.providers": "values are not looked up elsewhere; use a variable with _FILE for each secret",
    "enable.ssl.certificate.verification": "certificates are always verified; name their authority by ssl.ca.location",
    "socks5.proxy": "brokers are not reached through a proxy",
}
REFUSED_BELOW: Mapping[str, str] = {
    "sasl.kerberos.": f"Kerberos {_USE_SCRAM}",
    "sasl.oauthbearer.assertion.": "clients sign in at the token endpoint by id and secret alone",
    "config.providers.": "values are not looked up elsewhere; use a variable with _FILE for each secret",
}
_STRANGE_LOGINS = {
    "Krb5LoginModule": f"Kerberos {_USE_SCRAM}",
    "IAMLoginModule": f"MSK's IAM {_USE_SCRAM}",
}
_STORES = {"ssl.truststore.type": "ssl.truststore.location", "ssl.keystore.type": "ssl.keystore.location"}
_STORE_PASSWORDS = {
    "ssl.truststore.password": "ssl.truststore.location",
    "ssl.keystore.password": "ssl.keystore.location",
}
_STORE_ENDINGS = (".jks", ".p12", ".pfx", ".keystore", ".truststore", ".bcfks")
_HANDLER = re.compile(r".*\.(?:secured\.)?OAuthBearerLoginCallbackHandler")
_LOOKED_UP = re.compile(r"\$\{[^}]*\}")


@dataclass(slots=True)
class _Reading:
    """Values and faults found so far."""

    values: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def read(text: str) -> dict[str, str]:
    """The settings in the text of a file, by our names. Raises SettingsError with one line for each fault, which names the
    file's line and key."""
    try:
        found = {entry.key: entry for entry in entries(text)}  # of a repeated key the last one counts, as in Java
    except NotProperties as error:
        raise SettingsError((f"{SOURCE}: line {error.line}: {error.what}",)) from error
    reading = _Reading()
    for entry in found.values():
        faults = list(_taken(entry, found, reading.values))
        reading.faults += [f"{SOURCE}: line {entry.line}: {entry.key}: {fault}" for fault in faults]
    if reading.faults:
        raise SettingsError(tuple(reading.faults))
    return reading.values


def _taken(entry: Entry, all_of: Mapping[str, Entry], values: dict[str, str]) -> Iterator[str]:
    """Add one entry's settings to the values; yields its faults."""
    key, value = entry.key, entry.value
    if _LOOKED_UP.search(value):
        yield "values are not looked up elsewhere (${...}); use a variable with _FILE for each secret"
    elif key == "sasl.jaas.config":
        yield from _login(value, all_of, values)
    elif key in OURS:
        yield from _unreadable(key, value, all_of)
        if value:
            values[OURS[key]] = value
    elif key in _STORES:
        if value.upper() != "PEM":
            yield f"{value}: {_TO_PEM}"
    elif key in _STORE_PASSWORDS:
        yield from _store_password(_STORE_PASSWORDS[key], all_of)
    elif key in _CHECKED:
        yield from _CHECKED[key](value)
    elif key in NOT_OURS or key.startswith(NOT_OURS_BELOW):
        return
    else:
        yield _refusal(key)


def _unreadable(key: str, value: str, all_of: Mapping[str, Entry]) -> Iterator[str]:
    """Faults: an unsupported mechanism, or a Java key store (recognised by its name where no type is given)."""
    if OURS[key] == "sasl_mechanism" and value not in frozenset().union(*LOGINS.values()):
        yield f"{value} {_USE_SCRAM}"
    if _type_of(key) not in all_of and _is_store(key, value):
        yield _TO_PEM


def _store_password(place: str, all_of: Mapping[str, Entry]) -> Iterator[str]:
    """A store with a password is a Java key store, whatever its name. It is reported only once."""
    kind = all_of.get(_type_of(place))
    if kind is None:
        if place not in all_of or not _is_store(place, all_of[place].value):
            yield _TO_PEM
    elif kind.value.upper() == "PEM":
        yield "a PEM file has no password; that of its key is ssl.key.password"


def _type_of(place: str) -> str:
    """The key that gives the type of another key's file."""
    return next((name for name, of in _STORES.items() if of == place), "")


def _is_store(place: str, value: str) -> bool:
    return place in _STORES.values() and value.lower().endswith(_STORE_ENDINGS)


def _login(value: str, all_of: Mapping[str, Entry], values: dict[str, str]) -> Iterator[str]:
    try:
        login = login_of(value)
    except NotProperties as error:
        yield error.what
        return
    if (strange := _STRANGE_LOGINS.get(login.module)) is not None:
        yield strange
    elif login.module not in LOGINS:
        yield f"{login.module} is not known here: {', '.join(LOGINS)} are"
    else:
        named = all_of.get("sasl.mechanism") or all_of.get("sasl.mechanisms")
        if named is not None and named.value not in LOGINS[login.module]:
            yield f"{login.module} does not belong to sasl.mechanism {named.value}"
        yield from _options(login.module, login.options, values)


def _options(module: str, options: Mapping[str, str], values: dict[str, str]) -> Iterator[str]:
    known = _TOKEN_OPTIONS if module == "OAuthBearerLoginModule" else _USER_OPTIONS
    if module == "OAuthBearerLoginModule":
        values.setdefault("sasl_mechanism", "OAUTHBEARER")
        extensions = [
            f"{name.removeprefix('extension_')}={value}"
            for name, value in options.items()
            if name.startswith("extension_")
        ]
        if extensions:
            values["sasl_oauthbearer_extensions"] = ",".join(extensions)
    elif module == "PlainLoginModule":
        values.setdefault("sasl_mechanism", "PLAIN")
    for name, value in options.items():
        if name in known:
            values[known[name]] = value
        elif not name.startswith("extension_") and name not in _LOGIN_EXTRAS:
            yield f"option {name} is not known here: {', '.join(known)} are"


_LOGIN_EXTRAS = frozenset({"tokenauth", "serviceName", "ssl.truststore.type", "ssl.protocol"})


def _handler(value: str) -> Iterator[str]:
    if "AWS_MSK" in value or "amazon" in value or "IAM" in value:
        yield f"MSK's IAM {_USE_SCRAM}"
    elif not _HANDLER.fullmatch(value):
        yield "is a Java class; tokens are requested by client id and secret (OAuthBearerLoginCallbackHandler)"


def _names_verified(value: str) -> Iterator[str]:
    if value.lower() != "https":
        yield (
            "the name in a broker's certificate is always verified: have certificates made for the names by which"
            " bootstrap.servers and advertised.listeners reach them; take the line out"
        )


def _versions(value: str) -> Iterator[str]:
    if not {"TLSv1.2", "TLSv1.3"} & {version.strip() for version in value.split(",")}:
        yield "TLS 1.2 and 1.3 are supported; take the line out"


def _by_secret(value: str) -> Iterator[str]:
    if value.lower() not in ("oidc", "client_credentials"):
        yield "clients sign in at the token endpoint by id and secret alone: oidc"


_CHECKED = {
    "sasl.client.callback.handler.class": _handler,
    "sasl.login.callback.handler.class": _handler,
    "ssl.endpoint.identification.algorithm": _names_verified,
    "ssl.enabled.protocols": _versions,
    "sasl.oauthbearer.method": _by_secret,
    "sasl.oauthbearer.grant.type": _by_secret,
}


def _refusal(key: str) -> str:
    if key in REFUSED:
        return REFUSED[key]
    for beginning, reason in REFUSED_BELOW.items():
        if key.startswith(beginning):
            return reason
    known = [*OURS, *NOT_OURS, *_STORES, *_STORE_PASSWORDS, *_CHECKED, "sasl.jaas.config"]
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.8)
    return "no setting of a Kafka client" + (f"; did you mean {close[0]}?" if close else "; take the line out")
