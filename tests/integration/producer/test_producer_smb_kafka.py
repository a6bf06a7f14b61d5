"""A whole producer with a root on a share: what is in the log, and what is reported while the server is away."""

from __future__ import annotations

import time
from pathlib import Path

from producer.settings import ProducerSettings, RootSpec
from runtime.kafka import Kafka
from schemas import raw, system, topics
from schemas.codec import Codec, raw_codec
from streams.status.rules import StatusRules
from tests.support.producer_process import producing
from tests.support.producer_root import in_short, put
from tests.support.samba import PASSWORD, USER, Samba, own_samba
from tests.support.topic import read
from tests.support.waiting import wait_until

__all__ = ["own_samba"]

_reports: Codec[system.Report] = Codec(system.Report)


def reports(kafka: Kafka) -> list[system.RootReport]:
    every = [_reports.decode(one.value) for one in read(kafka, topics.REPORTS) if one.value is not None]
    return [report for report in every if isinstance(report, system.RootReport)]


def recorded(kafka: Kafka) -> list[raw.RawRecord]:
    return [raw_codec.decode(one.value) for one in read(kafka, topics.RAW)]


def test_a_share_is_watched_lost_and_back_and_each_is_reported_with_host_and_share(
    kafka: Kafka, own_samba: Samba, tmp_path: Path
) -> None:
    put(own_samba.served["media"] / "Films" / "a.mkv")
    secret = tmp_path / "nas"
    secret.write_text(PASSWORD + "\n")
    spec = RootSpec(
        name="nas-films", library="home", protocol="smb", host="127.0.0.1", port=own_samba.port, share="media",
        path=Path("Films"), user=USER, password_file=secret,
    )  # fmt: skip
    own_samba.kill()

    def lost(tries: int) -> bool:
        newest = reports(kafka)[-1:]
        return bool(newest) and newest[0].status == "error" and newest[0].retry_count >= tries

    with producing(kafka, ProducerSettings(roots=(spec,), identity_seconds=1.0), tmp_path / "state") as producer:
        wait_until(lambda: lost(2), 20, what="the report of a share that is away at the start", every=0.5)
        own_samba.start()
        wait_until(lambda: "+ a.mkv" in in_short(recorded(kafka)), 20, what="the baseline", every=0.5)
        wait_until(lambda: reports(kafka)[-1].status == "healthy", 10, what="a healthy root", every=0.5)
        own_samba.kill()
        began = time.monotonic()
        wait_until(lambda: lost(3), 20, what="the loss", every=0.5)
        assert time.monotonic() - began < 15
        assert producer.died is None
        assert PASSWORD not in producer.log.read_text()
    report = reports(kafka)[-1]
    (declared, *_) = [record for record in recorded(kafka) if isinstance(record, raw.RootDeclared)]
    assert (declared.protocol, declared.location) == ("smb", f"//127.0.0.1:{own_samba.port}/media/Films")
    assert "RootLost unreachable" in in_short(recorded(kafka))
    (update, *_) = StatusRules().report(report, 0)
    details = {} if not isinstance(update.details, dict) else update.details
    assert (update.action, update.component, update.status) == ("storage_update", "nas-films", "error")
    assert str(update.message).startswith("SMB connection lost to nas-films")
    assert {name: details[name] for name in ("host", "share")} == {"host": "127.0.0.1", "share": "media"}
    assert isinstance(details["retry_count"], int)
    assert details["last_connected"] == report.last_connected is not None
