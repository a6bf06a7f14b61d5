"""The topics, declared once: name, key, partitions, cleanup, retention, who writes and who reads.

`catalogizer topics plan|apply`, docs/records.md, compose and Terraform read this table. A topic's name stands
in this file and nowhere else; code names the constants. `L` partitions means one per lane.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from schemas import admin, alerts, analysis, audit, changes, leases, media, raw, resuming, system

DEFAULT_LANES = 12
EMBEDDED_LANES = 4
JOB_PARTITIONS = 12


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `partitions` None: as many as there are lanes. `retention` None: for ever. `records`: the
    type that decodes its values. `max_message_bytes`: the largest batch that the broker accepts. `segment`: how often a
    topic that is written continuously begins a new file, because Kafka does not compact or delete the newest one."""

    name: str
    key: str
    records: object
    writer: str
    readers: str
    purpose: str
    partitions: int | None = None
    cleanup: Literal["delete", "compact"] = "delete"
    retention: timedelta | None = None
    max_message_bytes: int = 1_048_588
    segment: timedelta | None = None

    def partition_count(self, lanes: int) -> int:
        """How many partitions it has on a log with `lanes` lanes."""
        return lanes if self.partitions is None else self.partitions

    def config(self) -> dict[str, str]:
        """Its topic-level configuration under Kafka's own names (replication is the installation's)."""
        retention_ms = -1 if self.retention is None else self.retention // timedelta(milliseconds=1)
        entries = {
            "cleanup.policy": self.cleanup,
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(self.max_message_bytes),
        }
        if self.cleanup == "delete":
            entries |= {"retention.ms": str(retention_ms), "retention.bytes": "-1"}
        if self.segment is not None:
            entries["segment.ms"] = str(self.segment // timedelta(milliseconds=1))
        return entries


RAW = Topic(
    "catalog.fs.raw.v1", "library", raw.RawRecord, "producers, analysis (results), the fold (ticks)",
    "the fold", "the change log: every observation, for ever",
)  # fmt: skip
CHANGES = Topic(
    "catalog.fs.changes.v1", "library", changes.Change, "the fold", "projector, taps",
    "what happened: settled, debounced, rename-resolved facts",
)  # fmt: skip
MEDIA_UPDATES = Topic(
    "catalog.media.updates.v1", "library", media.MediaUpdate, "the fold", "gateway, projector, taps",
    "items created, updated, deleted, analysed (channel media_updates)",
)  # fmt: skip
ANALYSIS_UPDATES = Topic(
    "catalog.analysis.updates.v1", "library", media.AnalysisComplete, "the fold", "gateway, projector",
    "analyses of whole scans and batches completed (channel analysis_updates)",
)  # fmt: skip
ANALYSIS_JOBS = Topic(
    "catalog.analysis.jobs.v1", "media id", analysis.Job, "the fold", "analysis",
    "files to be probed", partitions=JOB_PARTITIONS, retention=timedelta(days=7),
)  # fmt: skip
REQUESTED_JOBS = Topic(
    "catalog.analysis.requested.v1", "media id", analysis.Job, "the fold, analysis", "analysis",
    "files to be probed after those of the jobs: somebody asked, or a first probe took too long", partitions=JOB_PARTITIONS,
    retention=timedelta(days=7),
)  # fmt: skip
MEDIA_STATE = Topic(
    "catalog.media.state.v1", "media id (partition of its library)", media.MediaItem, "the fold",
    "taps, bootstraps", "the newest state of each item; a tombstone when deleted", cleanup="compact",
)  # fmt: skip
COVERS = Topic(
    "catalog.covers.v1", "content hash", analysis.Cover, "analysis", "projector",
    "thumbnails", partitions=1, cleanup="compact",
)  # fmt: skip
POSITIONS = Topic(
    "catalog.library.positions.v1", "lane", admin.Position, "the fold", "the fold, auditors",
    "where each lane's fold stands; the last record of each of its transactions", cleanup="compact",
)  # fmt: skip
SNAPSHOTS = Topic(
    "catalog.library.snapshots.v1", "slot and chunk", admin.SnapshotManifest, "the fold", "the fold",
    "the state of each lane, two in turns: chunks (bytes), then a manifest", cleanup="compact",
    segment=timedelta(hours=1),
)  # fmt: skip
REPORTS = Topic(
    "catalog.system.reports.v1", "component", system.Report, "every process", "status",
    "heartbeats, roots up and down, progress of scans", partitions=1, retention=timedelta(days=7),
)  # fmt: skip
SYSTEM_UPDATES = Topic(
    "catalog.system.updates.v1", "component", system.SystemUpdate, "status", "gateway, projector",
    "health of roots and components (channel system_updates)", partitions=1, retention=timedelta(days=30),
)  # fmt: skip
SYSTEM_STATE = Topic(
    "catalog.system.state.v1", "component", system.SystemUpdate, "status", "late joiners",
    "the newest system update of each component", partitions=1, cleanup="compact",
)  # fmt: skip
NOTIFICATIONS = Topic(
    "catalog.notifications.v1", "type", system.Notification, "gateway (REST), services", "gateway",
    "messages for people, delivered to everybody", partitions=1, retention=timedelta(days=30),
)  # fmt: skip
CONTROL = Topic(
    "catalog.control.v1", "root", admin.Control, "operators", "producers",
    "what operators ask of roots: a scan, to take up what was restored", partitions=1, retention=timedelta(days=7),
)  # fmt: skip
AUDIT = Topic(
    "catalog.audit.v1", "subject", audit.AuditEvent, "gateway (REST)", "auditors, taps",
    "sign-ins, refusals and what administrators and operators did", partitions=1, retention=timedelta(days=400),
)  # fmt: skip
ALERTS = Topic(
    "catalog.alerts.v1", "subject", alerts.Alert, "alerting", "alert delivery, taps",
    "what somebody should see to: one record when it begins, one when it is over", partitions=1,
    retention=timedelta(days=400),
)  # fmt: skip
LEASES = Topic(
    "catalog.leases.v1", "claim, or producer", leases.LeaseRecord, "producers", "producers",
    "which producer watches which root", partitions=1, cleanup="compact", segment=timedelta(minutes=10),
)  # fmt: skip
RESUMING = Topic(
    "catalog.gateway.resuming.v1", "session, or gateway", resuming.ResumeRecord, "gateway", "gateway",
    "where clients stand that keep no position themselves", partitions=1, retention=timedelta(hours=1),
    segment=timedelta(minutes=10),
)  # fmt: skip
META = Topic(
    "catalog.meta.v1", "topic", admin.TopicEpoch, "the provisioner", "every process",
    "one epoch record per topic", partitions=1, cleanup="compact",
)  # fmt: skip

DATA_TOPICS: tuple[Topic, ...] = (
    RAW, CHANGES, MEDIA_UPDATES, ANALYSIS_UPDATES, ANALYSIS_JOBS, REQUESTED_JOBS, MEDIA_STATE, COVERS, POSITIONS, SNAPSHOTS,
    REPORTS, SYSTEM_UPDATES, SYSTEM_STATE, NOTIFICATIONS, CONTROL, AUDIT, ALERTS, LEASES, RESUMING, META,
)  # fmt: skip

DLQ_SUFFIX = ".dlq"
GUARDED: tuple[Topic, ...] = (
    RAW,
    CHANGES,
    MEDIA_UPDATES,
    ANALYSIS_UPDATES,
    ANALYSIS_JOBS,
    REQUESTED_JOBS,
    COVERS,
    REPORTS,
    SYSTEM_UPDATES,
    ALERTS,
)
"""Topics read by stages with a guard (`streams.guard`): each has a dead letter queue."""


def dlq_of(topic: Topic) -> Topic:
    """The dead letter queue of a topic: original bytes, and headers with origin and error."""
    return Topic(
        topic.name + DLQ_SUFFIX, "as source", bytes, "guarded stages", "operator",
        f"records of {topic.name} that a stage could not process", partitions=1, retention=timedelta(days=30),
    )  # fmt: skip


ALL_TOPICS: tuple[Topic, ...] = DATA_TOPICS + tuple(dlq_of(topic) for topic in GUARDED)
BY_NAME: dict[str, Topic] = {topic.name: topic for topic in ALL_TOPICS}
COUNTED: tuple[Topic, ...] = (CHANGES, MEDIA_UPDATES, ANALYSIS_UPDATES)
"""Topics whose records have `x-n`, consecutive per topic and lane."""
