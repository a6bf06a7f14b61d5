"""Names of images with their digests: which there are, and what a registry says of them.

A tag may become another image tomorrow; a digest is one image for ever. `skopeo` asks, with whatever registries the machine
is set to use.
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
    """Every image that a file names, with its digest where it has one; ours, which have variables in them, are none."""
    return {match["name"]: match["digest"] for match in _NAMED.finditer(text)}


def pinned(text: str, digests: dict[str, str]) -> str:
    """The file with these digests behind these names."""
    return _NAMED.sub(lambda match: f"{match['before']}{match['name']}@{digests[match['name']]}", text)


def digest_of(name: str) -> str:
    """What a registry says that the name stands for now. Raises NoRegistry."""
    program = shutil.which("skopeo")
    if program is None:
        raise NoRegistry(name, "skopeo, which asks, is not installed")
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
    """Ask for all, then write: the files name every image by its digest, or stay as they are. Raises NoRegistry."""
    texts = {path: (root / path).read_text() for path in FILES}
    digests = {name: digest_of(name) for text in texts.values() for name in named(text)}
    for path, text in texts.items():
        (root / path).write_text(pinned(text, digests))
    print("\n".join(f"{name}@{digest}" for name, digest in sorted(digests.items())))
