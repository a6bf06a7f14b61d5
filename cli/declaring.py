"""Declares roots while the platform runs: each is a file in the roots folder, which `catalogizer watch` follows."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli.errors import BadArgument
from cli.root_table import report_of
from cli.up.state import StateFolder
from producer.declared import Declared, declared
from producer.settings import RootSpec
from runtime.kafka import Kafka
from runtime.log_reading import bounds, partitions_of, reader, resolve, stretch
from runtime.root_files import RootFile, write
from schemas.places import AtTime
from schemas.system import RootReport
from schemas.times import Millis
from schemas.topics import REPORTS

KEPT = (
    "library", "site", "protocol", "path", "host", "port", "share", "user", "domain", "password_file", "encryption",
    "include", "exclude", "watch", "debounce_ms", "max_hold_ms", "rename_window_ms",
)  # fmt: skip
_SHARE = re.compile(r"//(?P<host>[^/:]+)(?::(?P<port>[0-9]+))?/(?P<share>[^/]+)/?(?P<path>.*)")


def spec_of(name: str, path: Path, given: dict[str, Any]) -> RootSpec:
    """The root's settings from the command's arguments. Raises BadArgument."""
    there = where(path)
    try:
        return RootSpec(name=name, **there, **{key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = str(fault["loc"][0]) if fault["loc"] else "path"
        argument = key.upper() if key in ("name", "path") else f"--{key.replace('_', '-')}"
        shown = f", got {fault['input']!r}" if fault["loc"] else ""
        raise BadArgument(argument, fault["msg"] + shown) from error


def where(path: Path) -> dict[str, Any]:
    """The settings for a path: a folder of this machine, or `//host/share/folder`."""
    if (share := _SHARE.fullmatch(str(path))) is None:
        return {"path": path.absolute()}
    return {"protocol": "smb", **{key: value for key, value in share.groupdict().items() if value}}


def declare(spec: RootSpec, here: Declared, folder: Path, *, replace: bool) -> Path:
    """Write the root's file; returns its path. Raises BadArgument if the root conflicts with an existing one."""
    others = [other for other in here.specs.values() if other.name != spec.name]
    file = folder / f"{spec.name}.toml"
    if spec.name in here.specs and not file.exists():
        raise BadArgument("NAME", f"root {spec.name} is in the settings: change it there")
    if file.exists() and not replace:
        raise BadArgument("NAME", f"root {spec.name} is declared in {file}: use --replace to declare it again")
    table = {key: _plain(getattr(spec, key)) for key in KEPT if getattr(spec, key) != _default(key)}
    if "rename_window_ms" not in spec.model_fields_set:
        del table["rename_window_ms"]
    try:
        spec.location.encode()
    except UnicodeEncodeError as error:
        raise BadArgument("PATH", "is not UTF-8, which a file of settings must be") from error
    if faults := declared(others, {spec.name: RootFile(file, table)}).faults:
        raise BadArgument("PATH", faults[0].removeprefix(f"{file}: "))
    return write(folder, spec.name, table)


def is_demo(root: RootSpec, state_dir: Path) -> bool:
    """True for a root of the demo library, which is dropped as soon as a user declares roots."""
    return root.protocol == "local" and root.path.is_relative_to(StateFolder(state_dir.resolve()).library)


async def reported(kafka: Kafka, spec: RootSpec, since_ms: int, wait_seconds: float) -> RootReport | None:
    """The first report about the root at its location since a time; None if there is none within `wait_seconds`. Raises
    NotProvisioned, KafkaError."""
    async with reader(kafka) as consumer:
        within = await bounds(consumer, await partitions_of(consumer, kafka.name(REPORTS)))
        starts = await resolve(consumer, AtTime(Millis(since_ms)), within)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds), aclosing(stretch(consumer, starts, None)) as stretches:
                async for records in stretches:
                    for report in map(report_of, records):
                        if isinstance(report, RootReport) and _is_of(report, spec):
                            return report
    return None


def _is_of(report: RootReport, spec: RootSpec) -> bool:
    """True for a report by the producer that watches the root and has checked it."""
    return (report.root, report.location) == (spec.name, spec.location) and "state" in report.details


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value


def _default(key: str) -> Any:
    return RootSpec.model_fields[key].default
