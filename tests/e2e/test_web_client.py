"""The client library before the real gateway: its own tests, its types, its package, and the examples of its README."""

from __future__ import annotations

import json
import re
import select
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from runtime.kafka import Kafka
from tests.support.events import films
from tests.support.gateway import PASSWORD, Gateway
from tests.support.gateway_fixtures import log, server, tables
from tests.support.topic import pour
from tests.support.web_client import CLIENT, WEB, controlled, environment, npm_tool

__all__ = ["log", "server", "tables"]

README = (CLIENT / "README.md").read_text()
ENTRIES = ("index", "react", "react-query")


def example(language: str) -> str:
    """The README's runnable block in a language."""
    found = re.findall(rf"^```{language} runnable\n(.*?)^```", README, re.M | re.S)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stranger's project that has installed the package as it is packed."""
    folder = tmp_path_factory.mktemp("project")
    subprocess.run([npm_tool("tsc"), "-p", "tsconfig.build.json"], cwd=CLIENT, check=True, env=environment())
    pack = ["npm", "pack", "--ignore-scripts", "--pack-destination", str(folder)]
    subprocess.run(pack, cwd=CLIENT, check=True, env=environment(), capture_output=True)
    modules = folder / "node_modules"
    (modules / "@catalogizer").mkdir(parents=True)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    shutil.move(folder / "package", modules / "@catalogizer" / "client")
    for name in ("react", "@types", "@tanstack", "csstype"):
        (modules / name).symlink_to(WEB / "node_modules" / name)
    return folder


def test_its_own_tests_pass_before_a_real_gateway_and_none_is_skipped(
    server: Gateway, log: Kafka, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    with controlled(server, log) as control:
        done = subprocess.run(
            [npm_tool("vitest"), "run", "--reporter=default", "--reporter=json", f"--outputFile.json={report}"],
            cwd=CLIENT,
            env=environment(
                CATALOGIZER_GATEWAY=server.url, CATALOGIZER_CONTROL=control, CATALOGIZER_PASSWORD=PASSWORD
            ),
            capture_output=True,
            text=True,
            timeout=200,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    reported = json.loads(report.read_text())
    assert reported["numTotalTests"] == reported["numPassedTests"] > 70


def test_its_types_are_sound() -> None:
    done = subprocess.run(
        [npm_tool("tsc"), "-p", "tsconfig.json"], cwd=CLIENT, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_package_has_modules_types_and_maps_and_none_of_its_tests(project: Path) -> None:
    package = project / "node_modules" / "@catalogizer" / "client"
    files = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert {f"dist/{name}.{kind}" for name in ENTRIES for kind in ("js", "js.map", "d.ts", "d.ts.map")} <= files
    assert {name for name in files if not name.startswith(("dist/", "src/"))} == {
        "package.json",
        "README.md",
        "LICENSE",
    }
    named = json.loads((package / "dist" / "index.js.map").read_text())["sources"]
    assert [name for name in named if not (package / "dist" / name).exists()] == []


def test_the_examples_of_the_readme_fit_its_types(project: Path) -> None:
    (project / "app.tsx").write_text(example("tsx"))
    (project / "follow.mts").write_text(example("js").replace("process.env.", "environment.") + ENVIRONMENT)
    strict = [
        "--strict",
        "--noEmit",
        "--jsx",
        "react-jsx",
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--types",
        "",
    ]
    done = subprocess.run(
        [npm_tool("tsc"), *strict, "app.tsx", "follow.mts"],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


ENVIRONMENT = "declare const environment: Record<'CATALOGIZER_URL' | 'CATALOGIZER_PASSWORD', string>;\n"


def test_the_example_of_the_readme_runs(project: Path, server: Gateway, log: Kafka) -> None:
    (project / "follow.mjs").write_text(example("js"))
    following = subprocess.Popen(
        ["node", "follow.mjs"],
        cwd=project,
        env=environment(CATALOGIZER_URL=server.url, CATALOGIZER_PASSWORD=PASSWORD),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert following.stdout is not None
        printed = [following.stdout.readline().strip() for _ in range(2)]
        assert printed == ["connecting", "open"]
        first = 900_001
        for n in range(first, first + 50):  # it begins somewhere among them: when its subscription is answered
            pour(log, films(1, first=n))
            if select.select([following.stdout], [], [], 0.3)[0]:
                break
        assert re.fullmatch(r"created Film 9000\d\d\n", following.stdout.readline())
    finally:
        following.kill()
        following.communicate()
