"""Compiles `frames.c` into an environment: `python -m gateway.log.compiling [DIRECTORY]`, with that environment's Python.

Nothing needs it: without it replays are framed by interpreted code, to the same bytes, at a third of the rate. It is done
where a C compiler and the headers of this Python are there, in a second; elsewhere one line says what is missing, and the
exit code is 0 as well. A failure of the compiler is an error. The file is replaced whole: it can be killed at any moment.

`make setup` and the image's build run it. It imports nothing of ours: the image's build has only this file and the source.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().with_name("frames.c")
MODULE = "catalogizer_frames"
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-fPIC", "-fstack-protector-strong", "-shared")


def main(arguments: list[str]) -> int:
    """Compile into the directory, by default where this Python's packages are; the exit code."""
    directory = Path(arguments[0] if arguments else sysconfig.get_path("platlib"))
    made = directory / (MODULE + sysconfig.get_config_var("EXT_SUFFIX"))
    if _is_made(made):
        return 0
    try:
        argv = command(compiler(), headers())
    except FileNotFoundError as missing:
        made.unlink(missing_ok=True)  # of another source
        print(f"replays will be framed by interpreted code, more slowly: {missing} to have it compiled")
        return 0
    with tempfile.TemporaryDirectory(dir=directory, prefix=".compiling-") as place:
        part = Path(place) / made.name
        done = subprocess.run([*argv, "-o", str(part)], stderr=subprocess.PIPE, errors="replace", check=False)
        if done.returncode:
            print(f"{argv[0]} failed with {done.returncode}: {done.stderr.strip()[-500:]}", file=sys.stderr)
            return 1
        part.replace(made)
    return 0


def compiler() -> str:
    """The C compiler: CC, or the machine's `cc`. Raises FileNotFoundError."""
    words = shlex.split(os.environ.get("CC", "cc"))
    found = shutil.which(words[0]) if len(words) == 1 else None
    if found is None:
        raise FileNotFoundError(f"there is no C compiler `{' '.join(words)}`; install one (gcc)")
    return found


def headers() -> str:
    """The directory of this Python's C headers. Raises FileNotFoundError."""
    directory = sysconfig.get_path("include")
    if not Path(directory, "Python.h").is_file():
        raise FileNotFoundError(f"there is no {directory}/Python.h; install Python's headers (python3-dev)")
    return directory


def command(compiler: str, headers: str) -> list[str]:
    """What compiles the source, but for `-o`."""
    return [compiler, *FLAGS, f"-I{headers}", f'-DSOURCE="{digest()}"', str(SOURCE)]


def digest() -> str:
    """What the compiled module names as its source; `compiled` compares it."""
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()


def _is_made(made: Path) -> bool:
    return made.is_file() and digest().encode() in made.read_bytes()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
