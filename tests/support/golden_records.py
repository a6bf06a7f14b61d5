"""One record of every type, whole: what the golden files of this version are written from and compared with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from schemas import admin, analysis, changes, leases, media, raw, resuming, system
from schemas.alerts import Alert
from schemas.audit import AuditEvent
from schemas.codec import encode
from schemas.found import Found, Tags
from schemas.topics import (
    ALERTS,
    ANALYSIS_JOBS,
    ANALYSIS_UPDATES,
    AUDIT,
    CHANGES,
    CONTROL,
    COVERS,
    LEASES,
    MEDIA_STATE,
    MEDIA_UPDATES,
    META,
    NOTIFICATIONS,
    POSITIONS,
    RAW,
    REPORTS,
    REQUESTED_JOBS,
    RESUMING,
    SNAPSHOTS,
    SYSTEM_STATE,
    SYSTEM_UPDATES,
    Topic,
)

GOLDEN = Path(__file__).parents[1] / "golden"
RECORDS = GOLDEN / "records" / "v1"
SEED = GOLDEN / "seed"

_AT = "2026-11-24T10:30:00.123Z"
_FILE = raw.FileState("file", 4_294_967_296, 1_700_000_000_123_456_789, 64_769, 1_234_567, 2)
_FOREIGN = {"path": "movies/\ufffd.mkv", "path_b64": "bW92aWVzL/8ubWt2"}
_PRODUCER = {"root": "movies", "epoch": "0f3c9a", "seq": 7, "observed_at": _AT}
_MARK = resuming.Mark("e", {0: 5})
_CHANGE = {"library": "home", "root": "movies", "at": _AT}
_MEDIA = {"media_id": 43_010, "fingerprint": "ab" * 16}
_PATH = {"type": "file", "origin": "live", "size": 10, "mtime_ns": 11, **_MEDIA}
_FOUND = Found(
    title="The Matrix", year=1999, season=1, episode=2, category="movie", quality="1080p", duration_ms=8_160_000,
    container="matroska", video_codec="hevc", audio_codec="aac", width=1_920, height=1_080, hdr=True,
    bit_rate=4_000_000, sample_rate=48_000, channels=6, pages=1, languages=("en", "de"), subtitles=("en",),
    tags=Tags("The Matrix", "Artist", "Album", 1, 2, "Genre", "1999-03-31"), cover="cd" * 16,
)  # fmt: skip
_ITEM = media.MediaItem(
    id=43_010, title="The Matrix (1999)", media_type="video", year=1999, description="d", cover_image="/c",
    rating=8.7, quality="1080p", file_size=4_294_967_296, directory_path="/movies/The Matrix (1999)",
    smb_path="//nas/m", created_at=_AT, updated_at=_AT, library="home", storage_root="movies",
    path="The Matrix (1999)/m.mkv", path_b64="/w==", fingerprint="ab" * 16, category="movie", season=1, episode=2,
    duration=8_160.0, analysis=media.Analysis("done", _AT, "r", _FOUND),
)  # fmt: skip
_GONE = media.GoneItem(
    id=43_010, title="The Matrix (1999)", media_type="video", storage_root="movies", path="m.mkv", path_b64="/w=="
)
_UPDATE = system.SystemUpdate(
    action="storage_update", component="nas", status="error", message="m", details={"retry_count": 3}
)
_COUNTS = raw.Counts(1, 2, 3, 4)
_IDENTITY = raw.RootIdentity(1, 2, 3, "marker")
_SCAN = {"scan": 3, "origin": "scan", "cause": "start", "subtree": "a/\ufffd", "subtree_b64": "YS//"}


def _changed(kind: type[msgspec.Struct], **more: object) -> msgspec.Struct:
    known = {**_CHANGE, **_PATH, **_FOREIGN, "scan_id": 2_051, "cause": "c", "settled": False, **more}
    return kind(**known)


def _produced(kind: type[msgspec.Struct], **more: object) -> msgspec.Struct:
    return kind(**_PRODUCER, **more)


_GAP = {"cause": "overflow", "subtree": "a/\ufffd", "subtree_b64": "YS//"}
_FROM = {"from_path": "old/\ufffd.mkv", "from_path_b64": "b2xkL/8ubWt2"}
_TOLD = {"library": "home", "site": "main", "protocol": "smb", "location": "//nas/m", "at": _AT}

EXAMPLES: dict[str, tuple[Topic, msgspec.Struct]] = {
    "raw.observed": (
        RAW,
        _produced(raw.Observed, **_FOREIGN, file=_FILE, origin="scan", scan=3, cause="excluded"),
    ),
    "raw.observed_gone": (RAW, _produced(raw.Observed, path="a.mkv", file=None, origin="live")),
    "raw.moved": (
        RAW,
        _produced(raw.Moved, **_FOREIGN, **_FROM, file=_FILE, origin="live", scan=3, cause="c"),
    ),
    "raw.fingerprint": (
        RAW,
        _produced(raw.Fingerprint, **_FOREIGN, size=1, mtime_ns=2, inode=3, xxh3="ab" * 16, md5="cd" * 16),
    ),
    "raw.root_declared": (
        RAW,
        _produced(
            raw.RootDeclared, library="home", site="main", protocol="local", location="/m", identity=_IDENTITY,
            debounce_ms=1, max_hold_ms=2, rename_window_ms=3, include=("*.mkv",), exclude=("@eaDir",), term=9,
        ),
    ),
    "raw.root_lost": (RAW, _produced(raw.RootLost, cause="missing")),
    "raw.root_back": (RAW, _produced(raw.RootBack, cause="there again")),
    "raw.gap_open": (RAW, _produced(raw.GapOpen, **_GAP)),
    "raw.gap_closed": (RAW, _produced(raw.GapClosed, **_GAP, counts=_COUNTS)),
    "raw.scan_started": (RAW, _produced(raw.ScanStarted, **_SCAN, total=10)),
    "raw.scan_finished": (RAW, _produced(raw.ScanFinished, **_SCAN, total=10, counts=_COUNTS)),
    "raw.result": (
        RAW,
        raw.Result(
            job="j", media_id=43_010, root="movies", size=1, mtime_ns=2, inode=3, status="done", reason="r",
            found=_FOUND,
        ),
    ),
    "raw.root_retired": (RAW, raw.RootRetired(root="movies", by="admin@nas", at=_AT)),
    "raw.analysis_requested": (
        RAW,
        raw.AnalysisRequested(
            root="movies", reason="r", by="admin@nas", at=_AT, subtree="a/\ufffd", subtree_b64="YS//",
            media_types=("video",), statuses=("failed", "none"),
        ),
    ),
    "raw.analysis_steered": (
        RAW,
        raw.AnalysisSteered(action="cancel", reason="r", by="admin@nas", at=_AT, request=43_010),
    ),
    "raw.corrected": (
        RAW,
        raw.Corrected(
            media_id=43_010, root="movies", **_FOREIGN, by="admin@nas", at=_AT,
            correction=raw.Correction("The Matrix", 1999, 1, 2, "movie", "cd" * 16), withdrawn=("season",),
        ),
    ),
    "raw.tick": (RAW, raw.Tick()),
    "changes.created": (CHANGES, _changed(changes.Created)),
    "changes.modified": (CHANGES, _changed(changes.Modified)),
    "changes.deleted": (CHANGES, _changed(changes.Deleted)),
    "changes.moved": (CHANGES, _changed(changes.Renamed, **_FROM, from_root="other")),
    "changes.tree_moved": (
        CHANGES,
        changes.TreeRenamed(
            **_CHANGE, **_FOREIGN, **_FROM, from_root="other", count=2, cause="c", from_taken=False
        ),
    ),
    "changes.root_changed": (
        CHANGES,
        changes.RootChanged(
            **_CHANGE, state="declared", epoch="e", cause="c", site="main", protocol="local", location="/m",
            identity=_IDENTITY,
        ),
    ),
    "changes.scan_changed": (
        CHANGES,
        changes.ScanChanged(
            **_CHANGE, scan_id=2_051, state="finished", origin="scan", cause="start", subtree="a", total=1,
            counts=_COUNTS,
        ),
    ),
    "changes.gap_changed": (
        CHANGES,
        changes.GapChanged(
            **_CHANGE, state="open", cause="seq_jump", subtree="a", first_seq=1, last_seq=2, counts=_COUNTS
        ),
    ),
    "changes.analysis_request_changed": (
        CHANGES,
        changes.AnalysisRequestChanged(
            **_CHANGE, request=43_010, state="finished", reason="r", by="admin@nas", subtree="a",
            media_types=("video",), statuses=("failed", "none"), matched=5, asked=4, processed=3, identified=2,
            failed=1,
        ),
    ),
    "media_updates.created": (MEDIA_UPDATES, media.ItemCreated(media_id=43_010, media=_ITEM)),
    "raw.rules_adopted": (RAW, raw.RulesAdopted(version=2, program="0.1.0", by="admin@nas", at=_AT)),
    "media_updates.read_anew": (
        MEDIA_UPDATES,
        media.ItemUpdated(media_id=43_010, media=_ITEM, cause="rules:2"),
    ),
    "media_updates.from_another_root": (
        MEDIA_UPDATES,
        media.ItemUpdated(media_id=43_010, media=_ITEM, was=_GONE),
    ),
    "media_updates.updated": (MEDIA_UPDATES, media.ItemUpdated(media_id=43_010, media=_ITEM)),
    "media_updates.analyzed": (
        MEDIA_UPDATES,
        media.ItemAnalyzed(media_id=43_010, media=_ITEM, analysis_id="a"),
    ),
    "media_updates.deleted": (MEDIA_UPDATES, media.ItemDeleted(media_id=43_010, media=_GONE)),
    "analysis_updates.analysis_complete": (
        ANALYSIS_UPDATES,
        media.AnalysisComplete(
            items_processed=150, items_identified=142, items_failed=8, duration_ms=45_000, storage_root="movies",
            scan_id=23,
        ),
    ),
    "analysis_jobs.job": (
        ANALYSIS_JOBS,
        analysis.Job(
            job="j", media_id=43_010, library="home", root="movies", site="main", path="\ufffd", path_b64="/w==",
            file=_FILE, media_type="video", attempt=2,
        ),
    ),
    "analysis_jobs.requested": (
        REQUESTED_JOBS,
        analysis.Job(
            job="j", media_id=43_010, library="home", root="movies", site="main", path="m.mkv", file=_FILE,
            media_type="video", request=2_051,
        ),
    ),
    "media_state.item": (MEDIA_STATE, _ITEM),
    "covers.cover": (COVERS, analysis.Cover(hash="ab" * 16, mime="image/png", width=1, height=2, data=b"\x89PNG")),
    "positions.position": (
        POSITIONS,
        admin.Position(
            lane=3, epoch="e", next_offset=9, fold_version=1, at=_AT,
            counters=admin.Counters(changes=1, media_updates=2, analysis_updates=3),
        ),
    ),
    "positions.position_in_a_record": (
        POSITIONS,
        admin.Position(
            lane=3, epoch="e", next_offset=9, fold_version=1, at=_AT, written=4_000,
            rules="0123456789abcdef", program="0.1.0",
            counters=admin.Counters(changes=1, media_updates=2, analysis_updates=3),
        ),
    ),
    "reports.heartbeat": (
        REPORTS,
        system.Heartbeat(
            component="stream", instance="i", host="h", pid=1, status="healthy", at=_AT, message="m",
            details={"lag": 0, "ratio": 0.5, "ok": True, "name": "n", "none": None},
        ),
    ),
    "reports.heartbeat_leaving": (
        REPORTS,
        system.Heartbeat(
            component="serve", instance="i", host="h", pid=1, status="healthy", at=_AT, leaving=True
        ),
    ),
    "reports.root": (
        REPORTS,
        system.RootReport(
            root="movies", status="warning", message="m", mode="watching", last_connected=_AT, retry_count=1,
            host="nas", share="m", details={"used": 1}, **_TOLD,  # type: ignore[arg-type]
        ),
    ),
    "reports.scan": (
        REPORTS,
        system.ScanReport(root="movies", library="home", scan=3, done=10, at=_AT, finished=True, expected=9, paused=True),
    ),
    "system_updates.storage_update": (SYSTEM_UPDATES, _UPDATE),
    "system_state.storage_update": (SYSTEM_STATE, _UPDATE),
    "notifications.notification": (
        NOTIFICATIONS,
        system.Notification(type="conversion", title="t", message="m", level="success"),
    ),
    "audit.signed_in": (
        AUDIT,
        AuditEvent(
            action="signed_in", by="anna", subject="anna", at=_AT, address="10.0.0.9", way="password", why="w",
            details={"role": "Admin", "storage_roots": ["*"]}, permission="request:scans", method="POST", path="/p",
            request_id="r", unlogged=3,
        ),
    ),
    "alerts.alert": (
        ALERTS,
        Alert(
            kind="root_lost", subject="root_lost/movies", severity="error", state="firing", title="t", message="m", at=_AT,
            library="home", root="movies", details={"mode": "offline"},
        ),
    ),
    "resuming.opened": (RESUMING, resuming.SocketOpened(gateway="g", session="s")),
    "resuming.ended": (
        RESUMING,
        resuming.SocketEnded(gateway="g", session="s", left={"media_updates": _MARK}, others=True),
    ),
    "resuming.taken": (
        RESUMING,
        resuming.PositionTaken(gateway="g", session="s", channel="media_updates", offset=7),
    ),
    "resuming.floor": (
        RESUMING,
        resuming.GatewayFloor(gateway="g", floors={"media_updates": _MARK}, sessions=("s",)),
    ),
    "control.rescan_root": (
        CONTROL,
        admin.RescanRoot(id="i", root="movies", by="admin", at=_AT, reason="r", subtree="d\ufffd", subtree_b64="ZP8="),
    ),
    "control.pause_root": (
        CONTROL,
        admin.PauseRoot(id="i", root="movies", by="admin", at=_AT, reason="r", what="scans"),
    ),
    "control.resume_root": (CONTROL, admin.ResumeRoot(id="i", root="movies", by="admin", at=_AT)),
    "control.retire_root": (CONTROL, admin.RetireRoot(id="i", root="movies", by="admin", at=_AT)),
    "control.accept_root": (CONTROL, admin.AcceptRoot(id="i", root="movies", by="admin", at=_AT)),
    "leases.claim": (
        LEASES,
        leases.Claim(root="movies", term=7, after=3, producer="p", life="l", host="nas", pid=1, at=_AT),
    ),
    "leases.beat": (
        LEASES,
        leases.Beat(
            producer="p", life="l", host="nas", pid=1, at=_AT, leaving=True,
            roots={"movies": leases.Holding(term=7, commands_read=3, paused="root")}, left={"films": 5},
        ),
    ),
    "snapshots.manifest": (
        SNAPSHOTS,
        admin.SnapshotManifest(
            lane=1, epoch="e", next_offset=9, fold_version=1, rules="d", program="0.1.0", format=1, slot=0, begin=4,
            chunks=2, size=5, checksum="c", at=_AT,
        ),
    ),
    "meta.topic_epoch": (META, admin.TopicEpoch(topic=RAW.name, epoch="e", partitions=12, at=_AT)),
}  # fmt: skip


def formatted(record: msgspec.Struct) -> str:
    """A record as its golden file holds it."""
    return msgspec.json.format(encode(record)).decode() + "\n"


def main() -> None:
    """Write the files that are not there: a released one is never written again."""
    RECORDS.mkdir(parents=True, exist_ok=True)
    for name, (_, record) in EXAMPLES.items():
        path = RECORDS / f"{name}.json"
        if not path.exists() or os.environ.get("REWRITE_UNRELEASED_GOLDEN") == "1":
            path.write_text(formatted(record))
            print(path, file=sys.stderr)


if __name__ == "__main__":
    main()
