"""`python -m tools.sbom`: the bill of materials in CycloneDX 1.6, from the lock files: all that is installed to run the
platform, all that is built into the pages, and the jars of the embedded Kafka, each with its hashes, licence and purl.

It is created at each release, beside the wheel, and not committed, because the lock files contain the same facts. The same
commit gives the same bytes. Debian's packages in the container image are not in it; the image lists them itself
(/var/lib/dpkg/status.d).
"""

from __future__ import annotations

import base64
import json
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.up.embedded import jars
from schemas import __version__
from tools import ROOT, licences
from tools.errors import UnreadableLock
from tools.image import lock

NAMESPACE = uuid.UUID("6f2f6b1c-3a0f-5f0e-9b8a-5f7b6f2f6b1c")
"""The namespace of our serial numbers; generated once."""
OURSELVES = f"pkg:pypi/catalogizer@{__version__}"
WHERE = "catalogizer:where"
"""Property: `image and wheel`, `wheel` (with the embedded servers), `embedded broker` or `pages`."""
NPM_LOCK = Path("web/package-lock.json")
PAGES = (Path("web/pages/src"), Path("web/client/src"))
_IMPORT = re.compile(r"""(?:^|\s)(?:from|import)\s+["']([^"'.][^"']*)["']""", re.M)

Json = dict[str, Any]


def document(root: Path = ROOT) -> Json:
    """The whole bill. Raises UnknownLicence, UnreadableLock, BrokenState."""
    needs: dict[str, set[str]] = {OURSELVES: set()}
    parts = [*_python(root, needs), *_pages(root, needs), *_jars(needs)]
    body: Json = {
        "metadata": {"component": _component("application", "catalogizer", __version__, OURSELVES, "Apache-2.0")},
        "components": sorted(parts, key=lambda part: part["bom-ref"]),
        "dependencies": [{"ref": ref, "dependsOn": sorted(on)} for ref, on in sorted(needs.items())],
    }
    serial = uuid.uuid5(NAMESPACE, json.dumps(body, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", "version": 1}
    return {**head, **body}


def text(root: Path = ROOT) -> str:
    """The bill as a file."""
    return json.dumps(document(root), indent=1, sort_keys=True) + "\n"


def _python(root: Path, needs: dict[str, set[str]]) -> Iterator[Json]:
    entries = lock.locked((root / lock.SOURCE).read_text())
    in_image = {entry.name for entry in lock.needed(entries)}
    purls = {
        package.name: [f"pkg:pypi/{package.name}@{version}" for version in package.versions]
        for package in licences.packages(root)
    }
    lines = {name: "".join(entry.lines for entry in entries if entry.name == name) for name in purls}
    for package in licences.packages(root):
        for version, purl in zip(package.versions, purls[package.name], strict=True):
            block = next(e.lines for e in entries if e.lines.startswith(f"{package.name}=={version} "))
            hashes = [("SHA-256", digest) for digest in sorted(set(re.findall(r"sha256:([0-9a-f]{64})", block)))]
            where = "image and wheel" if package.name in in_image else "wheel"
            yield _component("library", package.name, version, purl, package.licence, hashes, where)
            needs.setdefault(purl, set())
    for name in lines:
        for by in {by for entry in entries if entry.name == name for by in entry.needed_by}:
            for ref in [OURSELVES] if by == lock.OURSELVES else purls.get(by, []):
                needs[ref].update(purls[name])


def _pages(root: Path, needs: dict[str, set[str]]) -> Iterator[Json]:
    locked: Mapping[str, Json] = json.loads((root / NPM_LOCK).read_text())["packages"]
    left = sorted(imported(root))
    purls: dict[str, str] = {}
    while left:
        name = left.pop()
        about = locked.get(f"node_modules/{name}")
        if about is None:
            raise UnreadableLock(str(NPM_LOCK), f"{name}, which the pages import, is not in it")
        purls[name] = f"pkg:npm/{name.replace('@', '%40')}@{about['version']}"
        left += [other for other in about.get("dependencies", {}) if other not in purls]
        algorithm, _, digest = about["integrity"].partition("-")
        hashes = [(f"SHA-{algorithm.removeprefix('sha')}", base64.b64decode(digest).hex())]
        yield _component("library", name, about["version"], purls[name], about["license"], hashes, "pages")
    for name, purl in purls.items():
        needs[purl] = {purls[other] for other in locked[f"node_modules/{name}"].get("dependencies", {})}
    needs[OURSELVES].update(purls[name] for name in imported(root))


def imported(root: Path) -> set[str]:
    """Packages that the pages' sources import, which are therefore built into them; without ours."""
    files = [path for folder in PAGES for path in (root / folder).rglob("*.ts*") if ".test." not in path.name]
    names = {name for path in files for name in _IMPORT.findall(path.read_text())}
    packages = {"/".join(name.split("/")[: 2 if name.startswith("@") else 1]) for name in names}
    return {name for name in packages if not name.startswith(("@catalogizer/", "node:"))}


def _jars(needs: dict[str, set[str]]) -> Iterator[Json]:
    for jar in jars.locked(jars.SERVER):
        purl = f"pkg:maven/{jar.group}/{jar.artifact}@{jar.version}"
        hashes = [("SHA-256", jar.sha256)]
        licence = licences.licence_of_jar(jar)
        yield _component(
            "library", f"{jar.group}:{jar.artifact}", jar.version, purl, licence, hashes, "embedded broker"
        )
        needs[purl] = set()
        needs[OURSELVES].add(purl)


def _component(
    kind: str, name: str, version: str, purl: str, licence: str,
    hashes: list[tuple[str, str]] | None = None, where: str | None = None,
) -> Json:  # fmt: skip
    found: Json = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}
    found["licenses"] = [_licence(licence)]
    if hashes:  # a package has one for each of its files (wheels for every system); any of them identifies it
        found["hashes"] = [{"alg": algorithm, "content": digest} for algorithm, digest in hashes]
    if where:
        found["properties"] = [{"name": WHERE, "value": where}]
    return found


def _licence(expression: str) -> Json:
    if " " in expression or expression.startswith("LicenseRef-"):
        return {"expression": expression}
    return {"license": {"id": expression}}


if __name__ == "__main__":
    sys.stdout.write(text())
