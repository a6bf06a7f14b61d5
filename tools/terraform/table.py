"""Topics and rights for Terraform: two JSON files, generated from the tables in `schemas`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas.acls import COMPONENTS, NEEDS, OPERATOR, Component, Needs, user_of
from schemas.topics import ALL_TOPICS, META, RAW, Topic
from tools.terraform import FOLDER

MODULE = FOLDER / "modules/topics-and-acls"
GROUPS = "catalogizer."
"""The prefix of groups and transactional ids, after the installation's prefix."""


def topics() -> dict[str, Any]:
    """Every topic by name: `partitions` (null: one for each lane) and `config`, under Kafka's own names."""
    return {topic.name: {"partitions": topic.partitions, "config": topic.config()} for topic in ALL_TOPICS}


def rights() -> dict[str, Any]:
    """`operator`: its user; `components`: what each may do; `lag`: the group and topics that show a component's lag. Names
    are without the installation's prefix; one that ends with a dot means all names with this prefix."""
    return {
        "operator": user_of(OPERATOR),
        "components": {component: _component(component, NEEDS[component]) for component in COMPONENTS},
        "lag": {
            "stream": _lag("stream", "library", (RAW,)),
            "project": _lag("project", "projector", _projected()),
        },
    }


def files() -> dict[Path, str]:
    """Both files, relative to the project's folder, with their text."""
    return {MODULE / "topics.json": _text(topics()), MODULE / "acls.json": _text(rights())}


def _component(component: Component, needs: Needs) -> dict[str, Any]:
    return {
        "principal": f"User:{user_of(component)}",
        "reads": sorted(topic.name for topic in needs.reads),
        "writes": sorted(topic.name for topic in needs.writes),
        "groups": [GROUPS + group for group in needs.groups],
        "transactions": [GROUPS + name for name in needs.transactions],
        "describes": sorted(topic.name for topic in needs.describes),
        "describes_groups": [GROUPS] if needs.looks_at_groups else [],
    }


def _lag(component: Component, group: str, read: tuple[Topic, ...]) -> dict[str, Any]:
    """A component's group and topics. Raises ValueError if the component has no such group, so that the tables agree."""
    if group not in NEEDS[component].groups:
        raise ValueError(f"{component} has no group {group}")
    return {"group": GROUPS + group, "topics": [topic.name for topic in read]}


def _projected() -> tuple[Topic, ...]:
    return tuple(topic for topic in NEEDS["project"].reads if topic is not META)


def _text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
