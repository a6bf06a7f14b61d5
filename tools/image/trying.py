"""Runs the image as an engine does: as its own user, on a read-only root, without capabilities and network (`closed.sh`).

Every command must print its help, the health command must fail on a port where nothing listens, commands for the embedded
servers must report that these are missing, and no shared object may lack a library. Servers are not started here.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from typer.main import get_command

from cli.main import app
from schemas import __version__
from tools.image import building

CLOSED = Path(__file__).with_name("closed.sh")
LINKED = Path(__file__).with_name("linked.py")
NAMESPACES = ("--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child")
WRITING = (
    "from pathlib import Path\nfor name in ('/written', '/opt/catalogizer/written'):\n    Path(name).touch()\n"
)
EXTENSIONS = """\
import importlib, pkgutil
EMBEDDED = ("cli.up.command", "cli.up.platform", "cli.moving.resting")
for package in ("cli", "gateway", "producer", "streams", "storage", "runtime", "schemas"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not module.name.startswith("cli.up.embedded") and module.name not in EMBEDDED:
            importlib.import_module(module.name)
"""
"""Imports all our modules except those that start embedded servers."""
NOBODYS_PORT = "8081"


class Config(msgspec.Struct, frozen=True, rename="pascal"):
    """The image's configuration: how to run it."""

    user: str
    env: list[str]
    entrypoint: list[str]
    working_dir: str


class _Oci(msgspec.Struct, frozen=True):
    config: Config


class _Inspected(msgspec.Struct, frozen=True):
    oci: _Oci = msgspec.field(name="OCIv1")


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is open as a folder."""

    root: Path
    config: Config

    def run(self, *words: str, stdin: str = "", entrypoint: tuple[str, ...] | None = None) -> Finished:
        """Run a program in it, or its entry point; `stdin`: text for standard input."""
        command = [*(self.config.entrypoint if entrypoint is None else entrypoint), *words]
        environment = dict(one.split("=", 1) for one in self.config.env)
        closed = ["/bin/sh", str(CLOSED), str(self.root), self.config.user, self.config.working_dir, *command]
        return subprocess.run(
            ["/usr/bin/unshare", *NAMESPACES, *closed],
            input=stdin, env=environment | {"PATH": f"{environment['PATH']}:/usr/sbin:/sbin:/bin"},
            capture_output=True, text=True, timeout=building.LONGEST_SECONDS, check=False,
        )  # fmt: skip


Finished = subprocess.CompletedProcess[str]
PYTHON = ("python",)


def opened(store: building.Store, name: str) -> Image:
    """An image that was built. Raises BadImage."""
    inspected = building.run("a look at the image", store.command("buildah", "inspect", "--type=image", name))
    return Image(building.opened(store, name), msgspec.json.decode(inspected, type=_Inspected).oci.config)


def commands() -> list[tuple[str, ...]]:
    """Every command by its words, groups too."""
    found: list[tuple[str, ...]] = []
    _below(get_command(app), (), found)
    return found


def _below(command: object, words: tuple[str, ...], found: list[tuple[str, ...]]) -> None:
    found.append(words)
    for name, one in getattr(command, "commands", {}).items():
        _below(one, (*words, name), found)


def findings(image: Image) -> Iterator[str]:
    """Failures, one line each."""
    version = image.run("--version")
    if version.stdout.strip() != __version__:
        yield f"--version: {_last(version)}"
    for words in commands():
        shown = image.run(*words, "--help")
        if shown.returncode != 0 or "Usage" not in shown.stdout:
            yield f"{' '.join(words)} --help: {_last(shown)}"
    health = image.run("-m", "cli.health", NOBODYS_PORT, entrypoint=PYTHON)
    if health.returncode != 1 or "no answer" not in health.stderr:
        yield f"the health command where nobody listens: {_last(health)}"
    up = image.run("up")
    if up.returncode != 1 or "not installed here" not in up.stderr:
        yield f"up, which needs what is left out: {_last(up)}"
    written = image.run("-", stdin=WRITING, entrypoint=PYTHON)
    if "Read-only file system" not in written.stderr and "Permission denied" not in written.stderr:
        yield f"the root can be written: {_last(written)}"
    demo = image.run("demo", "/tmp/library")  # noqa: S108 - the image's
    if demo.returncode != 0:
        yield f"the demo library: {_last(demo)}"
    imported = image.run("-", stdin=EXTENSIONS, entrypoint=PYTHON)
    if imported.returncode != 0:
        yield f"a module of ours cannot be imported: {_last(imported)}"
    linked = image.run("-", stdin=LINKED.read_text(), entrypoint=PYTHON)
    if linked.returncode != 0:
        yield f"a look at the shared objects: {_last(linked)}"
    yield from linked.stdout.splitlines()


def _last(finished: Finished) -> str:
    lines = (finished.stdout + finished.stderr).strip().splitlines()
    return f"exit code {finished.returncode}, {lines[-1] if lines else 'no output'}"
