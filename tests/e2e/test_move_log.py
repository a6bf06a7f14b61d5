"""A platform whose log was moved to other brokers is the same platform: clients resume by their old cursors, fold and
projector continue, and nothing is computed or published again."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest

from cli.up import ports
from cli.up.embedded.access import MECHANISM, PROTOCOL, Access
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.state import StateFolder
from runtime.settings import KafkaSettings
from schemas import topics
from schemas.acls import OPERATOR, user_of
from tests.e2e.test_backup import rows
from tests.support.browser import Browser
from tests.support.committed import Read, read_all
from tests.support.golden_state import CHANNEL, command, frames, snapshots, take_snapshot
from tests.support.platform import Platform
from tests.support.waiting import wait_until

PUBLISHED = (topics.CHANGES, topics.MEDIA_UPDATES, topics.ANALYSIS_UPDATES, topics.MEDIA_STATE, topics.SNAPSHOTS)
LANES = range(topics.EMBEDDED_LANES)
STOPPED_FOR = ("fold_diverged", "log_truncated", "log_epoch_changed", "log_overtaken")
TABLES = ("media_items", "users", "sessions")


def published(brokers: KafkaSettings) -> dict[tuple[str, int], list[Read]]:
    """Every record that the fold made, with its place, time and headers."""
    return {(topic.name, lane): read_all(brokers, topic.name, lane) for topic in PUBLISHED for lane in LANES}


def names(browser: Browser) -> str:
    return "\n".join(frames(browser))


def write(film: Path) -> None:
    film.write_bytes(film.name.encode() * 1000)


def properties(folder: Path, broker: EmbeddedKafka) -> Path:
    """A file with which the brokers' administrator connects."""
    assert broker.access is not None
    file = folder / "client.properties"
    file.write_text(
        f"bootstrap.servers={broker.bootstrap_servers}\nsecurity.protocol={PROTOCOL}\nsasl.mechanism={MECHANISM}\n"
        f"sasl.username={user_of(OPERATOR)}\nsasl.password={broker.access.secrets()[user_of(OPERATOR)]}\n"
    )
    return file


@pytest.mark.timeout(300)
def test_a_platform_goes_on_with_its_log_at_other_brokers(tmp_path: Path, kafka_jars: tuple[Path, ...]) -> None:
    films = tmp_path / "films"
    films.mkdir()
    write(films / "First (2023).mkv")
    own = EmbeddedKafka(tmp_path / "own", ports.free_port(), kafka_jars, Access(tmp_path / "own-secrets"))
    before = after = Platform(tmp_path, {"films": films})
    try:
        own.prepare()
        own.start()
        before.start()
        token = before.token()
        away = Browser(before.run["ws_url"], token, (CHANNEL,)).start()
        wait_until(lambda: "media_analyzed" in names(away) or len(frames(away)) >= 2, 60, what="the first film")
        away.stop()
        stayed = Browser(before.run["ws_url"], token, (CHANNEL,), next=deepcopy(away.next)).start()
        write(films / "Missed (2024).mkv")
        wait_until(lambda: len(frames(stayed)) >= 2, 30, what="what the client misses")
        stayed.stop()
        take_snapshot(before)
        wait_until(lambda: _caught_up(before, before.brokers), 30, what="rest")
        snapshot = snapshots(before.brokers)
        missed, kept, log = frames(stayed), rows(before), published(before.brokers)
        assert before.stop()[0] == 0

        own.wait_ready()
        moved = command(before, "move-log", str(properties(tmp_path, own)), "--replication-factor", "1")
        brokers = own.settings(OPERATOR)
        assert moved["compared_records"] > sum(map(len, log.values())) > 0
        assert moved["copied_transactions"] > 0
        assert published(brokers) == log

        with pytest.raises(RuntimeError, match="the log was moved to"):
            before.start()
        after = Platform(tmp_path, {"films": films}, **moved["settings"])
        after.start()
        lines = map(json.loads, StateFolder(after.state_dir).log("stream").read_text().splitlines())
        since = {line["lane"]: line["since"] for line in lines if line["event"] == "lane live"}
        assert {lane: since[lane] for lane in snapshot} == snapshot
        back = Browser(after.run["ws_url"], token, (CHANNEL,), next=deepcopy(away.next)).start()
        wait_until(lambda: len(frames(back)) >= len(missed), 30, what="what the client missed")
        write(films / "After (2025).mkv")
        wait_until(lambda: len(frames(back)) >= len(missed) + 2, 30, what="a new film")
        back.stop()
        assert [frame for frame in frames(back) if "After (2025)" not in frame] == missed
        assert [answer for answer in back.answers if answer["type"] in ("gap", "error")] == []
        found = rows(after)
        for table in TABLES:
            assert set(kept[table]) <= set(found[table])
        assert len(found["media_items"]) == len(kept["media_items"]) + 1
        assert after.stop()[0] == 0

        after.start()
        write(films / "Again (2025).mkv")
        again = Browser(after.run["ws_url"], token, (CHANNEL,), next=deepcopy(back.next)).start()
        wait_until(lambda: len(frames(again)) >= 2, 30, what="a film after a restart")
        again.stop()
        assert [frame for frame in frames(again) if "Again (2025)" not in frame] == []
        assert {place: records[: len(log[place])] for place, records in published(brokers).items()} == log
        for file in (after.state_dir / "logs").iterdir():
            text = file.read_text(errors="replace")
            assert [reason for reason in STOPPED_FOR if reason in text] == []
    finally:
        before.end()
        after.end()
        own.kill()


def _caught_up(platform: Platform, brokers: KafkaSettings) -> bool:
    """Whether every change has a row."""
    changes = sum(len(records) for (name, _), records in published(brokers).items() if name == topics.CHANGES.name)
    return len(rows(platform)["change_log"]) == changes
