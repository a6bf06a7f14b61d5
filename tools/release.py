"""`make release`: builds the source archive and the wheel into `dist/`, and tests the wheel in a fresh environment; the bill
of materials (`tools.sbom`) is written beside them.

Nothing is fetched: hatchling is in the development environment, and the fresh environment in which the wheel is tested
borrows that one's packages. It does not see the checkout, because `.pth` files in a borrowed folder are not read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

from gateway.rest.page import files_of
from schemas import __version__
from tools import ROOT, sbom
from tools.errors import BadWheel, ToolError

PACKAGES = ("cli", "producer", "streams", "gateway", "storage", "runtime", "schemas")
WEB = ("web/built", Path("gateway/web"))
"""The page's folder in the checkout, and in the wheel."""

_CHECK = """
import sys
from importlib.resources import files
from pathlib import Path
import cli
from cli.up.embedded import jars
from gateway.app import web_dir
assert Path(cli.__file__).is_relative_to(sys.prefix), cli.__file__
assert jars.locked(jars.SERVER)
assert web_dir().is_relative_to(sys.prefix)
assert any(file.name.endswith(".sql") for file in files("schemas").joinpath("sql").iterdir())
"""
"""Run in the fresh environment: everything that the program reads at run time must be inside it."""


def main(folder: Path = ROOT / "dist") -> int:
    """Build and test; the exit code."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        wheel = build(folder)
        check_contents(wheel)
        check_use(wheel)
        (folder / f"catalogizer-{__version__}.cdx.json").write_text(sbom.text())
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(sorted(str(path.relative_to(folder.parent)) for path in folder.iterdir())))
    return 0


def build(folder: Path) -> Path:
    """Build the source archive and the wheel; the wheel's path. Raises BadWheel."""
    _run("the build", [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)], ROOT)
    return folder / f"catalogizer-{__version__}-py3-none-any.whl"


def contents() -> frozenset[str]:
    """Every file that belongs in the wheel, except its metadata."""
    folder, inside = WEB
    ours = (
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    return frozenset((*ours, *(str(inside / path.name) for path in files_of(ROOT / folder))))


def check_contents(wheel: Path) -> None:
    """Raises BadWheel if a file is missing or does not belong there."""
    with zipfile.ZipFile(wheel) as archive:
        names = frozenset(name for name in archive.namelist() if ".dist-info/" not in name)
    for what, files in (("misses", contents() - names), ("should not contain", names - contents())):
        if files:
            raise BadWheel(wheel.name, f"{what} {', '.join(sorted(files))}")


def check_use(wheel: Path) -> None:
    """Install it into a fresh environment and run it there. Raises BadWheel."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-release-") as name:
        place = Path(name)
        _run("a fresh environment", [sys.executable, "-m", "venv", "--without-pip", str(place)], place)
        python = place / "bin" / "python"
        library = Path(sysconfig.get_path("purelib", vars={"base": name, "platbase": name}))
        (library / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--offline", "--no-index"]
        _run("its installation", [*uv, "--no-deps", "--python", str(python), str(wheel)], place)
        _run("a look into it", [str(python), "-P", "-c", _CHECK], place)
        version = _run("its command", [str(place / "bin" / "catalogizer"), "--version"], place).strip()
    if version != __version__:
        raise BadWheel(wheel.name, f"`catalogizer --version` prints {version}, not {__version__}")


def _run(what: str, command: list[str], folder: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise BadWheel(f"catalogizer {__version__}", f"{what} failed:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
