"""The Helm chart: what it accepts, and, where Helm is on this machine, what it renders. `python -m tools.helm` builds Helm
where it is not, and validates by Kubernetes' own schemas as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cli.settings import Settings
from runtime.settings import variables
from schemas import __version__
from tools.helm import program
from tools.helm.__main__ import command_names
from tools.helm.judging import findings

CHART = program.CHART
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
MOST_LINES = 400


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Values as Helm lays one over the other."""
    found = dict(base)
    for name, value in over.items():
        both = isinstance(value, dict) and isinstance(found.get(name), dict)
        found[name] = merged(found[name], value) if both and value else value
    return found


def values(file: Path) -> dict[str, Any]:
    return merged(yaml.safe_load((CHART / "values.yaml").read_text()), yaml.safe_load(file.read_text()))


def test_the_chart_is_small_and_of_our_version() -> None:
    files = [CHART / "Chart.yaml", CHART / "values.yaml", *(CHART / "templates").iterdir()]
    assert sum(len(file.read_text().splitlines()) for file in files) <= MOST_LINES
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


@pytest.mark.parametrize("file", program.values(), ids=lambda file: file.name)
def test_its_examples_are_accepted(file: Path) -> None:
    jsonschema.validate(values(file), SCHEMA)


@pytest.mark.parametrize(
    "over",
    [
        {"kafka": {"servers": ""}},
        {"kafka": {"servers": "kafka"}},
        {"kafka": {"lanes": 0}},
        {"image": {"digest": "latest"}},
        {"settings": {"CATALOGIZER_GATEWAY__TOKEN_SECRET": "no secrets here"}},
        {"settings": {"PATH": "/"}},
        {"serve": {"ingress": {"enabled": True, "host": ""}}},
        {"serve": {"replica": 3}},
        {"database": {"secret": "", "key": "url"}},
    ],
)
def test_values_that_mean_nothing_are_refused(over: dict[str, Any]) -> None:
    least = values(CHART / "ci" / "least-values.yaml")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(merged(least, over), SCHEMA)


@pytest.mark.skipif(program.find() is None, reason="no Helm on this machine: python -m tools.helm builds one")
@pytest.mark.parametrize("file", program.values(), ids=lambda file: file.name)
def test_what_it_renders_is_closed_and_names_only_settings_and_commands(file: Path) -> None:
    helm = program.find()
    assert helm is not None
    manifests = program.rendered(helm, file)
    assert list(findings(manifests, variables(Settings), command_names())) == []


def a_pod(**container: Any) -> list[dict[str, Any]]:
    """A job with one container, closed but for what is given."""
    whole = {
        "name": "one", "args": ["watch"], "env": [], "volumeMounts": [], "resources": {"limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
    }  # fmt: skip
    pod = {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "automountServiceAccountToken": False, "volumes": [], "restartPolicy": "Never",
        "containers": [merged(whole, container)],
    }  # fmt: skip
    return [
        {"kind": "Job", "metadata": {"name": "x"}, "spec": {"template": {"metadata": {"labels": {}}, "spec": pod}}}
    ]


@pytest.mark.parametrize(
    ("container", "why"),
    [
        ({"args": ["wtach"]}, "wtach is no command"),
        ({"env": [{"name": "CATALOGIZER_LGO__LEVEL", "value": "INFO"}]}, "CATALOGIZER_LGO__LEVEL is no setting"),
        ({"env": [{"name": "CATALOGIZER_KAFKA__LANES", "value": 12}]}, "CATALOGIZER_KAFKA__LANES is no text"),
        ({"securityContext": {"readOnlyRootFilesystem": False}}, "may write its root"),
        ({"volumeMounts": [{"name": "media", "mountPath": "/media"}]}, "nothing is mounted as media"),
        ({"resources": {"limits": {}}}, "has no limit of memory"),
        (
            {"env": [{"name": "CATALOGIZER_DATABASE__URL_FILE", "value": "/run/database/url"}]},
            "/run/database/url is mounted nowhere",
        ),
    ],
)
def test_what_must_not_be_rendered_is_found(container: dict[str, Any], why: str) -> None:
    assert list(findings(a_pod(**container), variables(Settings), command_names())) == [f"Job x: one: {why}"]


def test_a_closed_pod_has_no_findings() -> None:
    assert list(findings(a_pod(), variables(Settings), command_names())) == []
