"""When certificates end is shown for each file that the settings name, as it is on the disk now."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from runtime.certificates import EVERY_SECONDS, Certificates, files_of_kafka
from runtime.database import files_of_certificates
from runtime.settings import KafkaSettings
from tests.support.tls import DAY, NOW, Authority


def shown(file: Path) -> tuple[float | None, float | None]:
    """End and unreadable."""
    labels = {"file": str(file)}
    ends = REGISTRY.get_sample_value("catalogizer_certificate_expires_timestamp_seconds", labels)
    return ends, REGISTRY.get_sample_value("catalogizer_certificate_unreadable", labels)


def at(time: datetime.datetime) -> float:
    return time.replace(microsecond=0).timestamp()


def test_of_a_chain_the_first_end_counts(tmp_path: Path) -> None:
    authority = Authority(tmp_path)  # ends in a day
    chain = tmp_path / "chain.pem"
    chain.write_bytes(authority.file.read_bytes() + authority.server("nas", NOW + 3 * DAY).read_bytes())
    Certificates([chain]).show()
    assert shown(chain) == (at(NOW + DAY), 0)


def test_a_file_that_was_renewed_is_seen_within_a_minute(tmp_path: Path) -> None:
    now = 0.0
    authority, file = Authority(tmp_path), tmp_path / "server.pem"
    certificates = Certificates([file], lambda: now)
    file.write_bytes(authority.server("nas", NOW + DAY).read_bytes())
    certificates.show()
    file.write_bytes(authority.server("nas", NOW + 90 * DAY).read_bytes())
    now = EVERY_SECONDS - 1
    certificates.show()
    assert shown(file)[0] == at(NOW + DAY)
    now = EVERY_SECONDS
    certificates.show()
    assert shown(file) == (at(NOW + 90 * DAY), 0)


@pytest.mark.parametrize("contents", [None, b"", b"-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n"])
def test_a_file_without_a_certificate_is_shown_as_that(tmp_path: Path, contents: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if contents is not None:
        file.write_bytes(contents)
    Certificates([file]).show()
    assert shown(file) == (None, 1)


def test_files_are_those_that_connections_use() -> None:
    ca = Path("/etc/ca.pem")
    assert files_of_kafka(KafkaSettings(ssl_cafile=ca, security_protocol="SASL_SSL")) == (ca,)
    assert files_of_kafka(KafkaSettings(ssl_cafile=ca)) == ()
    url = "postgresql://u:p@h/d?sslmode=verify-full&sslrootcert=/etc/pg.pem&sslcert=/etc/me.pem"
    assert files_of_certificates(url) == (Path("/etc/pg.pem"), Path("/etc/me.pem"))
    assert files_of_certificates("postgresql://u:p@h/d?sslrootcert=system") == ()
