"""Pins image names to digests: finds the names in files, and resolves them at a registry.

A tag may later point to another image; a digest always means the same image. `skopeo` resolves them, with the registries
that the machine is configured to use.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tools.errors import NoRegistry

FILES = (Path("Containerfile"), Path("docker-compose.yml"))
LONGEST_SECONDS = 60
_NAMED = re.compile(
    r"^(?P<before>ARG DEBIAN=|\s+image: )(?P<name>[a-z][a-z0-9./-]*:[A-Za-z0-9._-]+)(?:@(?P<digest>sha256:[0-9a-f]{64}))?$",
    re.M,
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def named(text: str) -> dict[str, str | None]:
    """Every image that a file names, with its digest if it has one. Our own images have variables in their names and do
    not match."""
    return {match["name"]: match["digest"] for match in _NAMED.finditer(text)}


def pinned(text: str, digests: dict[str, str]) -> str:
    """The file with these digests behind these names."""
    return _NAMED.sub(lambda match: f"{match['before']}{match['name']}@{digests[match['name']]}", text)


def digest_of(name: str) -> str:
    """The present digest of the name at a registry. Raises NoRegistry."""
    program = shutil.which("skopeo")
    if program is None:
        raise NoRegistry(name, "skopeo, which resolves it, is not installed")
    command = [program, "inspect", "--format", "{{.Digest}}", f"docker://{name}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise NoRegistry(name, f"nothing came within {LONGEST_SECONDS} s") from error
    if done.returncode != 0 or not _DIGEST.fullmatch(done.stdout.strip()):
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise NoRegistry(name, lines[-1])
    return done.stdout.strip()


def write(root: Path) -> None:
    """Resolve all names first, then write: on an error no file is changed. Raises NoRegistry."""
    texts = {path: (root / path).read_text() for path in FILES}
    digests = {name: digest_of(name) for text in texts.values() for name in named(text)}
    for path, text in texts.items():
        (root / path).write_text(pinned(text, digests))
    print("\n".join(f"{name}@{digest}" for name, digest in sorted(digests.items())))
