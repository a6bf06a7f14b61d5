"""Builds the image from the Containerfile with buildah, on a base that debootstrap makes from Debian's packages, without an
image registry or a running engine. The Containerfile is executed as it is.

Base, builds and images are kept in a separate storage, which the caller removes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT
from tools.errors import BadImage

SUITE = "bookworm"
BASE = "localhost/debian:bookworm-slim"
NAME = "localhost/catalogizer"
NEEDED = ("buildah", "debootstrap")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
ADDED_CERTIFICATES = "/usr/local/share/ca-certificates/machine.crt"
"""Where Debian reads additional certificates: the machine's, so that a company's proxy is trusted while packages are
fetched."""
LONGEST_SECONDS = 1_800
LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Store:
    """The folder for containers and images, with nothing else in it."""

    folder: Path

    def command(self, program: str, *arguments: str) -> list[str]:
        """A command line of a program such as buildah, with this store."""
        places = ("--root", str(self.folder / "images"), "--runroot", str(self.folder / "run"))
        return [program, *places, *arguments]

    def remove(self) -> None:
        """Remove everything. Raises OSError."""
        run("removing the images", self.command("buildah", "rm", "--all"))
        run("removing the images", self.command("buildah", "rmi", "--all", "--force"))
        for mounted in ("images/overlay", "images"):
            subprocess.run(["umount", str(self.folder / mounted)], capture_output=True, check=False)
        shutil.rmtree(self.folder)


def check_tools() -> None:
    """Raises BadImage if a required program, or root, is missing."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise BadImage(f"not built: {', '.join(missing)} not installed (Debian: apt install {' '.join(NEEDED)})")
    if os.geteuid() != 0:
        raise BadImage("not built: debootstrap needs root")


def make_base(store: Store) -> None:
    """Create the base image, a minimal Debian. Raises BadImage."""
    folder = store.folder / "debian"
    run("Debian's base", ["debootstrap", "--variant=minbase", SUITE, str(folder)])
    container = run("Debian's base", store.command("buildah", "from", "scratch")).strip()
    run("Debian's base", store.command("buildah", "copy", "--quiet", container, str(folder), "/"))
    run("Debian's base", store.command("buildah", "commit", "--quiet", "--rm", container, BASE))
    shutil.rmtree(folder)


def build(store: Store, tag: str, epoch: int) -> str:
    """Build without caches; the image's name. `epoch`: the time of all files. Raises BadImage."""
    name = f"{NAME}:{tag}"
    options = (
        "--isolation=chroot", "--no-cache", "--pull-never", "--squash", f"--timestamp={epoch}",
        f"--volume={CERTIFICATES}:{ADDED_CERTIFICATES}:ro",
        f"--build-arg=DEBIAN={BASE}", f"--build-arg=SOURCE_DATE_EPOCH={epoch}",
    )  # fmt: skip
    where = ("--file", str(ROOT / "Containerfile"), "--ignorefile", str(ROOT / ".dockerignore"), str(ROOT))
    run("the build", store.command("buildah", "build", *options, "--tag", name, *where))
    return name


def opened(store: Store, image: str) -> Path:
    """Mount the image; the folder with its files. Raises BadImage."""
    container = run("opening the image", store.command("buildah", "from", "--pull-never", image)).strip()
    return Path(run("opening the image", store.command("buildah", "mount", container)).strip())


def run(what: str, command: list[str], stdin: str | None = None) -> str:
    """Run a command; its standard output. Raises BadImage with the last lines of a failure."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False, cwd=ROOT
    )
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-LAST_LINES:])
        raise BadImage(f"{what} failed (exit code {done.returncode}):\n{last}")
    return done.stdout
