"""Rules for rendered manifests. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

USER = 10001
Manifest = dict[str, Any]


def findings(manifests: list[Manifest], variables: Container[str], commands: Container[str]) -> Iterator[str]:
    """Violations, one line each. `variables`: those that are settings; `commands`: the program's."""
    named = [(manifest, f"{manifest['kind']} {manifest['metadata']['name']}") for manifest in manifests]
    for manifest, name in named:
        if (pod := pod_of(manifest)) is not None:
            yield from (f"{name}: {why}" for why in _pod(pod, variables, commands))
            yield from (f"{name}: {why}" for why in _selected(manifest))
    yield from _served(manifests)


def pod_of(manifest: Manifest) -> Manifest | None:
    """The pod's spec; None for a manifest that creates no pod."""
    template = manifest.get("spec", {}).get("template")
    found: Manifest | None = None if template is None else template["spec"]
    return found


def containers(pod: Manifest) -> list[Manifest]:
    """All containers, including init containers."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def _pod(pod: Manifest, variables: Container[str], commands: Container[str]) -> Iterator[str]:
    context = pod["securityContext"]
    if not context["runAsNonRoot"] or context["runAsUser"] != USER or "seccompProfile" not in context:
        yield "may run as somebody else"
    if pod["automountServiceAccountToken"]:
        yield "has a token of the cluster"
    given = {volume["name"] for volume in pod["volumes"]} | {"state"}
    for container in containers(pod):
        yield from (f"{container['name']}: {why}" for why in _container(container, given, variables, commands))
    if pod.get("restartPolicy") != "Never":
        yield from (
            f"{one['name']}: no {kind}" for one in pod["containers"] for kind in _PROBES if kind not in one
        )


_PROBES = ("livenessProbe", "readinessProbe")


def _container(
    container: Manifest, given: Container[str], variables: Container[str], commands: Container[str]
) -> Iterator[str]:
    context = container["securityContext"]
    if context["allowPrivilegeEscalation"] or context["capabilities"] != {"drop": ["ALL"]}:
        yield "may become more"
    if not context["readOnlyRootFilesystem"]:
        yield "may write its root"
    if "memory" not in container["resources"].get("limits", {}):
        yield "has no limit of memory"
    if container["args"][0] not in commands:
        yield f"{container['args'][0]} is no command"
    for one in container["env"]:
        if one["name"].removesuffix("_FILE") not in variables:
            yield f"{one['name']} is no setting"
        if not isinstance(one["value"], str):
            yield f"{one['name']} is no text"
        if one["name"].endswith(("PASSWORD", "SECRET", "DATABASE__URL")):
            yield f"{one['name']} would show a secret"
    yield from (f"nothing is mounted as {m['name']}" for m in container["volumeMounts"] if m["name"] not in given)
    mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
    for one in container["env"]:
        if one["name"].endswith("_FILE") and not one["value"].startswith(tuple(f"{path}/" for path in mounted)):
            yield f"{one['value']} is mounted nowhere"


def _selected(manifest: Manifest) -> Iterator[str]:
    labels = manifest["spec"]["template"]["metadata"]["labels"]
    wanted = manifest["spec"].get("selector", {}).get("matchLabels", {})
    if any(labels.get(name) != value for name, value in wanted.items()):
        yield "does not select its own pods"


def _served(manifests: list[Manifest]) -> Iterator[str]:
    """Violations: services that match no pod with their port."""
    templates = [one["spec"]["template"] for one in manifests if pod_of(one) is not None]
    for service in (one for one in manifests if one["kind"] == "Service"):
        wanted = service["spec"]["selector"].items()
        ports = {
            port["name"]
            for template in templates
            if wanted <= template["metadata"]["labels"].items()
            for container in template["spec"]["containers"]
            for port in container.get("ports", [])
        }
        yield from (
            f"Service {service['metadata']['name']}: nobody has a port {port['targetPort']}"
            for port in service["spec"]["ports"]
            if port["targetPort"] not in ports
        )
