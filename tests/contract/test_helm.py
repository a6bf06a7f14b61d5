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
from runtime.configuration import load, variables
from schemas import __version__
from tools.deployments import is_secret, passed
from tools.helm import program
from tools.helm.__main__ import command_names
from tools.helm.judging import containers, findings, pod_of

CHART = program.CHART
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
MOST_LINES = 400
MARK = "set-from-outside"


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
        {"kafka": {"mechanism": "GSSAPI"}},
        {"files": {"CATALOGIZER_ALERTS__WEBHOOK_URL": {"secret": "a", "key": "b"}}},
        {"files": {"CATALOGIZER_ALERTS__WEBHOOK_URL_FILE": {"secret": "", "key": "b"}}},
        {"files": {"CATALOGIZER_ALERTS__WEBHOOK_URL_FILE": "https://alerts.example.org"}},
        {"files": {"CATALOGIZER_DATABASE__URL_FILE": {"secret": "a", "key": "b"}}},
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


@pytest.mark.parametrize("name", [name for name, field in variables(Settings).items() if is_secret(field)])
def test_no_secret_is_a_value(name: str) -> None:
    least = values(CHART / "ci" / "least-values.yaml")
    for form in (name, f"{name}_FILE"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(merged(least, {"settings": {form: "canary"}}), SCHEMA)


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, str]]]:
    """By process, the environments of its containers if everything that may be set is set."""
    helm = program.find()
    if helm is None:
        pytest.skip("no Helm on this machine: python -m tools.helm builds one")
    given = {
        "files": {name: {"secret": "s", "key": "k"} for name in passed("helm") if name.endswith("FILE")},
        "settings": {name: MARK for name in passed("helm") if not name.endswith("FILE")},
    }
    file = tmp_path_factory.mktemp("helm") / "values.yaml"
    file.write_text(
        yaml.safe_dump(merged(yaml.safe_load((CHART / "ci" / "least-values.yaml").read_text()), given))
    )
    found: dict[str, list[dict[str, str]]] = {}
    for manifest in program.rendered(helm, file):
        if (pod := pod_of(manifest)) is not None:
            process = manifest["metadata"]["labels"]["app.kubernetes.io/component"]
            found[process] = [
                {one["name"]: one["value"] for one in container["env"]} for container in containers(pod)
            ]
    return found


def test_each_setting_reaches_its_readers_and_no_other(environments: dict[str, list[dict[str, str]]]) -> None:
    everybody = {"before", "watch", "stream", "project", "serve"}
    for process in everybody:
        expected = {name for name, who in passed("helm").items() if who in (process, "kafka", "every")}
        for environment in environments[process]:
            given = {name for name, value in environment.items() if value in (MARK, f"/run/files/{name}")}
            assert given == expected


@pytest.mark.skipif(program.find() is None, reason="no Helm on this machine: python -m tools.helm builds one")
def test_alerts_and_tokens_of_the_example_are_settings_of_the_stream_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm = program.find()
    assert helm is not None
    manifests = program.rendered(helm, CHART / "ci" / "alerts-values.yaml")
    (pod,) = [pod_of(one) for one in manifests if one["metadata"]["name"] == "test-stream" and pod_of(one)]
    assert pod is not None
    (container,) = pod["containers"]
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "files"]
    mounted = {
        f"/run/files/{item['path']}": (source["secret"]["name"], item["key"])
        for source in volume["projected"]["sources"]
        for item in source["secret"]["items"]
    }
    for one in container["env"]:
        value = one["value"]
        if value.startswith("/run/files/"):
            file = tmp_path / Path(value).name
            file.write_text("https://alerts.example.org/" if mounted[value][1] == "webhook-url" else "s" * 32)
            value = str(file)
        monkeypatch.setenv(one["name"], value)
    settings = load(Settings)
    assert (settings.kafka.sasl_mechanism, settings.alerts.mail_to) == ("OAUTHBEARER", ("ops@example.org",))
    assert settings.alerts.webhook_secret is not None and settings.alerts.smtp_password is not None
    assert settings.kafka.sasl_oauthbearer_client_secret is not None
    assert mounted["/run/files/CATALOGIZER_ALERTS__CAFILE"] == ("company-ca", "ca.crt")


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
