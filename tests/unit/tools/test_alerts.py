"""Alerts name existing metrics, describe what to do, and fire as their unit tests require."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from tests.support.debian import program
from tools import ROOT
from tools.dashboard import PANELS
from tools.metrics import METRICS
from tools.observability.queries import EMPTY_IS_RIGHT, Answered, Query, queries, samples

FOLDER = ROOT / "infra" / "observability"
ALERTS = (FOLDER / "alerts.yml").read_text()
NAMES = re.findall(r"- alert: (\w+)", ALERTS)


def test_every_expression_names_declared_metrics_only() -> None:
    declared = {name for metric in METRICS for name in metric.series}
    expressions = re.findall(r"expr: '(.*)'", ALERTS)
    assert len(expressions) == len(NAMES) > 0
    expressions += [query for _, _, query, _ in PANELS]
    named = {name for expression in expressions for name in re.findall(r"catalogizer_\w+", expression)}
    assert named - declared == set()


def test_every_alert_has_a_summary_a_description_and_a_runbook_that_is_there() -> None:
    headings = re.findall(r"^### (\w+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    anchors = re.findall(r"runbook_url: docs/operations.md#(\w+)", ALERTS)
    assert anchors == [name.lower() for name in NAMES]
    assert set(NAMES) <= set(headings)
    assert (
        len(re.findall(r" summary: '.+'", ALERTS)) == len(re.findall(r" description: '.+'", ALERTS)) == len(NAMES)
    )


def test_every_alert_has_a_case_where_it_fires_and_one_where_it_is_silent() -> None:
    cases = re.findall(r"- name: (\w+) (fires|is silent)", (FOLDER / "alerts.test.yml").read_text())
    assert cases == [(name, how) for name in NAMES for how in ("fires", "is silent")]


def test_promtool_agrees() -> None:
    promtool, environment = program("promtool", "prometheus")
    arguments = [promtool, "test", "rules", str(FOLDER / "alerts.test.yml")]
    result = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_metric_that_is_named_is_queried_by_name_and_excused_by_name() -> None:
    wanted = list(queries(yaml.safe_load(ALERTS)["groups"][0]["rules"]))
    assert {query.name for query in wanted if query.kind == "alert"} == set(NAMES)
    assert {query.name for query in wanted if query.kind == "read by alert"} == set(NAMES)
    assert [query.name for query in wanted if query.kind == "panel"] == [title for title, *_ in PANELS]
    assert EMPTY_IS_RIGHT.keys() <= {metric.name for metric in METRICS}


@pytest.mark.parametrize(
    ("query", "count", "verdict"),
    [
        (Query("panel", "p", "catalogizer_ready"), 4, "shows"),
        (Query("panel", "p", "catalogizer_ready"), 0, "EMPTY"),
        (Query("alert", "a", "catalogizer_ready == 0"), 0, "empty, rightly"),
        (Query("alert", "a", "catalogizer_ready == 0"), 1, "UNEXPECTED"),
        (Query("panel", "p", "max(catalogizer_certificate_unreadable)"), 0, "empty, rightly"),
        (Query("panel", "p", "max(catalogizer_certificate_unreadable)"), 1, "UNEXPECTED"),
    ],
)
def test_an_answer_is_right_where_it_shows_something_or_has_a_reason_not_to(
    query: Query, count: int, verdict: str
) -> None:
    answered = Answered(query, count)
    assert answered.verdict == verdict
    assert answered.is_right is (verdict in ("shows", "empty, rightly"))


def test_what_is_no_number_is_no_sample() -> None:
    assert samples([{"value": [1.0, "NaN"]}, {"value": [1.0, "0"]}]) == 1


def test_names_follow_the_conventions_of_prometheus() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"catalogizer_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") is (metric.kind == "counter")
        assert metric.help
