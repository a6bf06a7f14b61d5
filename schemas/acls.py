"""Who may do what in Kafka: one least-privilege table, a principal for each component.

`catalogizer topics acls` prints it, the embedded broker enforces it, and whoever provisions a cluster of their own
applies it. Operations and resources are Kafka's (KIP-11); `Read` and `Write` imply `Describe`, which returns the first
and last offsets of a topic and the committed offsets of a group. An idempotent producer needs only `Write` on its
topics (Kafka ≥ 3.0). No component may create, alter or delete a topic: only the operator, who provisions them, may.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from schemas.topics import (
    ALERTS,
    ANALYSIS_JOBS,
    ANALYSIS_UPDATES,
    AUDIT,
    CHANGES,
    CONTROL,
    COVERS,
    GUARDED,
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
    dlq_of,
)  # fmt: skip

Component = Literal["watch", "stream", "project", "serve"]
COMPONENTS: tuple[Component, ...] = ("watch", "stream", "project", "serve")
OPERATOR = "operator"
"""The user who provisions topics and uses the command line. On the embedded broker it is a super user."""

Resource = Literal["topic", "group", "transactional-id"]
Pattern = Literal["literal", "prefixed"]
Operation = Literal["Read", "Write", "Describe"]


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One permission on this installation. `principal`: as Kafka writes it, `User:catalogizer-watch`."""

    principal: str
    resource: Resource
    name: str
    pattern: Pattern
    operation: Operation


@dataclass(frozen=True, slots=True)
class Needs:
    """What a component uses. `groups` and `transactions` are names below `catalogizer.`; a name that ends with a dot
    stands for all names with that prefix. `describes`: topics that it neither reads nor writes; `looks_at_groups`: it
    may read the committed offsets of all groups of the installation."""

    reads: tuple[Topic, ...]
    writes: tuple[Topic, ...]
    groups: tuple[str, ...] = ()
    transactions: tuple[str, ...] = ()
    describes: tuple[Topic, ...] = ()
    looks_at_groups: bool = False


_GUARDED_BY_STREAM = (RAW, CHANGES, ANALYSIS_JOBS, REQUESTED_JOBS, REPORTS, ALERTS)
_PROJECTED = (CHANGES, MEDIA_UPDATES, ANALYSIS_UPDATES, SYSTEM_UPDATES, COVERS)
_CHANNELS = (MEDIA_UPDATES, ANALYSIS_UPDATES, SYSTEM_UPDATES, NOTIFICATIONS)

NEEDS: dict[Component, Needs] = {
    "watch": Needs(reads=(CONTROL, LEASES, META), writes=(RAW, REPORTS, LEASES)),
    "stream": Needs(
        reads=(
            RAW, CHANGES, ANALYSIS_JOBS, REQUESTED_JOBS, POSITIONS, SNAPSHOTS, REPORTS, SYSTEM_UPDATES, SYSTEM_STATE,
            ALERTS, META, *map(dlq_of, GUARDED),
        ),
        writes=(
            RAW, CHANGES, MEDIA_UPDATES, ANALYSIS_UPDATES, ANALYSIS_JOBS, REQUESTED_JOBS, MEDIA_STATE, COVERS,
            POSITIONS, SNAPSHOTS, REPORTS, SYSTEM_UPDATES, SYSTEM_STATE, ALERTS, *map(dlq_of, _GUARDED_BY_STREAM),
        ),
        groups=("library", "streams.", "requested.", "gaps", "alerting", "alerts"),
        transactions=("library.",),
    ),
    "project": Needs(
        reads=(*_PROJECTED, META), writes=(REPORTS, *map(dlq_of, _PROJECTED)), groups=("projector",)
    ),
    "serve": Needs(
        reads=(*_CHANNELS, CHANGES, RESUMING, META, AUDIT, *map(dlq_of, GUARDED)),
        writes=(
            RAW, NOTIFICATIONS, CONTROL, AUDIT, RESUMING, REPORTS, ANALYSIS_JOBS, REQUESTED_JOBS,
            *map(dlq_of, GUARDED),
        ),
        transactions=("dlq.",),
        describes=(MEDIA_STATE, COVERS, POSITIONS, SNAPSHOTS, SYSTEM_STATE, LEASES, ALERTS),
        looks_at_groups=True,
    ),
}  # fmt: skip


def user_of(component: str) -> str:
    """The user name with which a component authenticates to Kafka."""
    return f"catalogizer-{component}"


def acls(prefix: str = "") -> list[Acl]:
    """The whole table, sorted. `prefix`: the installation's topic prefix."""
    return sorted(acl for component in COMPONENTS for acl in acls_of(component, prefix))


def acls_of(component: Component, prefix: str = "") -> Iterator[Acl]:
    """The part of one component."""
    needs, principal = NEEDS[component], f"User:{user_of(component)}"
    for topic in needs.reads:
        yield Acl(principal, "topic", prefix + topic.name, "literal", "Read")
    for topic in needs.writes:
        yield Acl(principal, "topic", prefix + topic.name, "literal", "Write")
    for topic in needs.describes:
        yield Acl(principal, "topic", prefix + topic.name, "literal", "Describe")
    if needs.looks_at_groups:
        yield Acl(principal, "group", f"{prefix}catalogizer.", "prefixed", "Describe")
    for group in needs.groups:
        yield Acl(principal, "group", f"{prefix}catalogizer.{group}", _pattern(group), "Read")
    for name in needs.transactions:
        yield Acl(principal, "transactional-id", f"{prefix}catalogizer.{name}", _pattern(name), "Write")


def _pattern(name: str) -> Pattern:
    return "prefixed" if name.endswith(".") else "literal"
