"""kill -9 of every process at any time: nothing is lost, nothing is twice, ids are kept.

Seen at the socket of a client that resumes by offsets, in the database, and by a `read_committed` reader that is
not ours.
"""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from runtime.kafka import Kafka
from schemas import topics
from schemas.headers import find
from tests.support.browser import Browser
from tests.support.committed import read_all
from tests.support.fold_run import at_rest, verdict
from tests.support.mutator import Mutator, tree
from tests.support.platform import Platform
from tests.support.waiting import wait_until

COMPONENTS = ("watch", "stream", "project", "serve", "kafka")
ROUNDS = 2
CHANGES = 800
LANES = topics.EMBEDDED_LANES
WITNESSES = 20


@pytest.mark.timeout(420)
def test_killed_again_and_again_nothing_is_lost_and_nothing_is_twice(tmp_path: Path) -> None:
    root = tmp_path / "films"
    root.mkdir()
    mutator = Mutator(root, seed=7)
    mutator.make_witnesses(WITNESSES)
    platform = Platform(tmp_path, {"films": root})
    try:
        platform.start()
        browser = Browser(platform.run["ws_url"], platform.token()).start()
        wait_until(lambda: len(witness_ids(platform)) == WITNESSES, 30, what="the witnesses in the catalogue")
        before = witness_ids(platform)
        mutator.start()
        try:
            for component in COMPONENTS * ROUNDS:
                kill_in_flight(platform, mutator, browser, component)
            wait_until(lambda: mutator.done >= CHANGES, 120, what=f"{CHANGES} changes")
        finally:
            mutator.stop()
        wait_until(lambda: items(platform) == tree(root), 60, what="the catalogue to equal the tree")
        settled(platform, browser)
        browser.stop()
        after = {path.relative_to(root).as_posix(): before[name] for name, path in mutator.witnesses.items()}
        assert witness_ids(platform) == after
        assert browser.connections > ROUNDS
        at_the_socket(platform, browser)
        in_the_database(platform)
        assert verdict(clients(platform), platform.brokers) > CHANGES
        assert platform.stop()[0] == 0
    finally:
        platform.end()


def kill_in_flight(platform: Platform, mutator: Mutator, browser: Browser, component: str) -> None:
    """Kill while changes are made; go on when it runs again and events come through it."""
    done = mutator.done
    wait_until(lambda: mutator.done > done + 25, 10, what="changes under way")
    killed = platform.kill(component)
    done = mutator.done
    platform.wait_again(component, killed)
    seen = sum(map(len, browser.frames.values()))
    wait_until(lambda: sum(map(len, browser.frames.values())) > seen + 10, 60, what=f"events after {component}")
    assert mutator.done > done, "nothing was in flight"


def clients(platform: Platform) -> Kafka:
    """Our clients on the platform's broker."""
    return Kafka(platform.brokers.model_copy(update={"lanes": LANES}), "test")


def rows(platform: Platform, query: str) -> list[tuple[object, ...]]:
    """Rows of the platform's database."""
    with psycopg.connect(platform.run["database_url"]) as connection:
        return connection.execute(query).fetchall()


def items(platform: Platform) -> dict[str, int]:
    """Live items of the catalogue: path → size."""
    found = rows(platform, "SELECT path, file_size FROM media_items WHERE deleted_at IS NULL")
    return {str(path): int(str(size)) for path, size in found}


def witness_ids(platform: Platform) -> dict[str, int]:
    """Path → media id of the witnesses."""
    query = "SELECT path, id FROM media_items WHERE deleted_at IS NULL AND path LIKE '%.dat'"
    return {str(path): int(str(id_)) for path, id_ in rows(platform, query)}


def settled(platform: Platform, browser: Browser) -> None:
    """Until the socket and the database have everything that is in the topics."""
    bootstrap = platform.brokers

    def complete() -> bool:
        if not all(at_rest(clients(platform), bootstrap, lane) for lane in range(LANES)):
            return False
        media = read_all(bootstrap, topics.MEDIA_UPDATES.name, *range(LANES))
        changes = read_all(bootstrap, topics.CHANGES.name, *range(LANES))
        logged = rows(platform, "SELECT count(*) FROM change_log")[0][0]
        batches = read_all(bootstrap, topics.ANALYSIS_UPDATES.name, *range(LANES))
        reported = (len(browser.events("media_updates")), len(browser.events("analysis_updates")))
        return reported == (len(media), len(batches)) and logged == len(changes)

    wait_until(complete, 60, what="socket and database to have everything", every=0.5)


def at_the_socket(platform: Platform, browser: Browser) -> None:
    """The client has exactly the topics' records, in their order."""
    bootstrap = platform.brokers
    for topic, channel, lanes in (
        (topics.MEDIA_UPDATES, "media_updates", LANES),
        (topics.ANALYSIS_UPDATES, "analysis_updates", LANES),
        (topics.SYSTEM_UPDATES, "system_updates", 1),
    ):
        for lane in range(lanes):
            wanted = [(r.offset, json.loads(r.value or b"")) for r in read_all(bootstrap, topic.name, lane)]
            got = [json.loads(text) for text in browser.frames.get((channel, lane), [])]
            found = [(frame["offset"], frame["data"]) for frame in got]
            if channel == "system_updates":  # still being written
                wanted = wanted[: len(found)]
            assert found == wanted, f"{channel} {lane}: {len(found)} frames, {len(wanted)} records"
    assert not [a for a in browser.answers if a["type"] in ("gap", "error")]


def in_the_database(platform: Platform) -> None:
    """change_log has each change once, with dense numbers per lane."""
    bootstrap = platform.brokers
    wanted = {
        (lane, int(find(read.headers, "x-n") or b"0"), (find(read.headers, "ce_id") or b"").decode())
        for lane in range(LANES)
        for read in read_all(bootstrap, topics.CHANGES.name, lane)
    }
    found = rows(platform, "SELECT src_partition, n, event_id::text FROM change_log")
    assert len(found) == len(wanted)
    assert set(found) == wanted
