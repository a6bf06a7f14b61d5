"""Record headers: what a reader can know of a record without decoding its value.

Records of the change log have two headers, type and schema version, and the W3C trace context (`traceparent`) if it is
known. They are very many, and ten headers each made appending four times as expensive. All other records are CloudEvents
1.0 in binary mode (Kafka protocol binding): id, type, source, time and subject in `ce_` headers, and our own headers
(`x-…`). Headers of dead letters give the origin and the error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas.errors import UnknownVersion

Headers = list[tuple[str, bytes]]

TYPE = "type"
SCHEMA_VERSION = "schema-version"
TRACEPARENT = "traceparent"

CE_ID = "ce_id"
CE_TYPE = "ce_type"
CE_SOURCE = "ce_source"
CE_TIME = "ce_time"
CE_SUBJECT = "ce_subject"
CE_SPECVERSION = "ce_specversion"
CE_DATASCHEMA = "ce_dataschema"
CONTENT_TYPE = "content-type"
X_SOURCE = "x-source"
X_N = "x-n"
X_FOLD_VERSION = "x-fold-version"
X_TO = "x-to"
"""Of a notification that is not for everybody: `role:ID`, `user:ID` or `library:NAME`."""
X_TARGETS = "x-alert-targets"
"""Of an alert that is to be sent only to these targets, separated by commas: it was redriven from the dead letter
queue, and the other targets have received it."""

X_ORIGINAL_TOPIC = "x-original-topic"
X_ORIGINAL_PARTITION = "x-original-partition"
X_ORIGINAL_OFFSET = "x-original-offset"
X_ORIGINAL_TIMESTAMP = "x-original-timestamp"
X_ORIGINAL_SIZE = "x-original-size"
X_EXCEPTION_TYPE = "x-exception-type"
X_EXCEPTION_MESSAGE = "x-exception-message"
X_ATTEMPT = "x-attempt"
X_LETTER = "x-letter"

MAX_DEAD_BYTES = 400_000
"""How much of a value a dead letter keeps; our own values are never longer. With key and headers it must fit into a
batch of the fold and a request of any Kafka producer: a stage that cannot publish the dead letter of a record can never
move past that record."""

MAJOR = b"1"
"""The major version of every schema here; a record of another one goes to the dead letter queue."""

_JSON = b"application/json"
_OWN = (
    X_ORIGINAL_TOPIC, X_ORIGINAL_PARTITION, X_ORIGINAL_OFFSET, X_ORIGINAL_TIMESTAMP, X_EXCEPTION_TYPE,
    X_EXCEPTION_MESSAGE, X_ATTEMPT,
)  # fmt: skip
_VERSIONED = frozenset({SCHEMA_VERSION, CE_DATASCHEMA})
MANY_SCHEMAS = 100
_readable: set[bytes | None] = {MAJOR}
"""Header values that name a readable version, as received; every record has one, and there are few different ones."""


def raw_headers(kind: str, context: bytes | None = None) -> Headers:
    """Headers of a change-log record. `context`: its trace context (`schemas.trace`)."""
    headers: Headers = [(TYPE, kind.encode()), (SCHEMA_VERSION, MAJOR)]
    if context is not None:
        headers.append((TRACEPARENT, context))
    return headers


def event_headers(
    *, id: str, type: str, source: str, time: str, subject: str, extra: Headers | None = None
) -> Headers:
    """CloudEvents headers of a derived record. `time`: the event's own time, ISO 8601; `subject`: what it is about (a
    media id, a path, a component), UTF-8 without percent-encoding; `extra`: our own headers (`x-…`, `traceparent`)."""
    headers: Headers = [
        (CE_SPECVERSION, b"1.0"),
        (CE_ID, id.encode()),
        (CE_TYPE, type.encode()),
        (CE_SOURCE, source.encode()),
        (CE_TIME, time.encode()),
        (CE_SUBJECT, subject.encode("utf-8", "replace")),
        (CE_DATASCHEMA, b"urn:catalogizer:schema:%b:%b" % (type.encode(), MAJOR)),
        (CONTENT_TYPE, _JSON),
    ]
    if extra:
        headers += extra
    return headers


def dlq_headers(
    *, topic: str, partition: int, offset: int, timestamp: int, error: Exception, attempt: int, size: int
) -> Headers:
    """Where a dead letter came from and why. `timestamp` in milliseconds; `size`: bytes of its value there."""
    headers = [
        (X_ORIGINAL_TOPIC, topic.encode()),
        (X_ORIGINAL_PARTITION, b"%d" % partition),
        (X_ORIGINAL_OFFSET, b"%d" % offset),
        (X_ORIGINAL_TIMESTAMP, b"%d" % timestamp),
        (X_EXCEPTION_TYPE, type(error).__name__.encode()),
        (X_EXCEPTION_MESSAGE, str(error)[:1000].encode("utf-8", "replace")),
        (X_ATTEMPT, b"%d" % attempt),
    ]
    if size > MAX_DEAD_BYTES:
        headers.append((X_ORIGINAL_SIZE, b"%d" % size))
    return headers


def split_dead(
    headers: Sequence[tuple[str, bytes]], value: bytes | None
) -> tuple[dict[str, bytes], Headers] | None:
    """The headers of a dead letter as (its own by name, the original's unchanged). Its own come first, in a fixed
    order, so that an original that has headers of the same names keeps them. None if it is not a dead letter of
    ours."""
    count = len(_OWN)
    if tuple(name for name, _ in headers[:count]) != _OWN:
        return None
    if len(value or b"") == MAX_DEAD_BYTES and headers[count : count + 1] and headers[count][0] == X_ORIGINAL_SIZE:
        count += 1
    return dict(headers[:count]), list(headers[count:])


def dead_value(value: bytes | None) -> bytes | None:
    """What a dead letter keeps of a value: all of it, or the beginning of a value that does not fit into a batch."""
    return None if value is None else value[:MAX_DEAD_BYTES]


def find(headers: Iterable[tuple[str, bytes | None]], name: str) -> bytes | None:
    """The first header of that name, or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


def check_version(headers: Iterable[tuple[str, bytes | None]]) -> None:
    """Raise UnknownVersion when a record names a major version that this program does not read: raw records by
    `schema-version`, derived ones by the end of `ce_dataschema`. A record without either is of version 1
    (other clients' taps and tools may write none)."""
    for name, value in headers:
        if name in _VERSIONED and value not in _readable and value is not None:
            _check(name, value)


def _check(name: str, value: bytes) -> None:
    version = value if name == SCHEMA_VERSION else value.rsplit(b":", 1)[-1]
    if version.split(b".", 1)[0] != MAJOR:
        raise UnknownVersion(version.decode("utf-8", "replace"))
    if len(_readable) < MANY_SCHEMAS:
        _readable.add(value)
