"""The producer's settings: which roots to watch, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from runtime.health import HealthSettings
from runtime.settings import Section

NAS_JUNK = (
    "@eaDir",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "#recycle",
    "#snapshot",
    ".Trash-*",
    "$RECYCLE.BIN",
    "System Volume Information",
    ".AppleDouble",
    "._*",
    "lost+found",
)


class RootSpec(Section):
    """One watched root."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="unique in the platform")
    library: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="the library it belongs to")
    site: str = Field(
        "main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="where its files can be read"
    )
    protocol: Literal["local"] = Field("local", description="how it is reached")
    path: Path = Field(description="absolute path of the directory")
    include: tuple[str, ...] = Field((), description="glob patterns; when given, only matching files are observed")
    exclude: tuple[str, ...] = Field(
        (), description="glob patterns of names or paths below the root, beside the NAS defaults"
    )
    debounce_ms: int = Field(2_000, ge=0, le=60_000, description="quiet time before a change settles, ms")
    max_hold_ms: int = Field(
        30_000, ge=1_000, le=600_000, description="longest wait for a file still changing, ms"
    )
    rename_window_ms: int = Field(
        2_000, ge=0, le=60_000, description="how long a deletion waits for its rename, ms"
    )

    @model_validator(mode="after")
    def _absolute(self) -> RootSpec:
        if not self.path.is_absolute():
            raise ValueError(f"path of root {self.name!r} must be absolute")
        return self


class ProducerSettings(Section):
    """Settings of `catalogizer watch`."""

    name: str = Field(
        "producer", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="stable name of this producer"
    )
    roots: tuple[RootSpec, ...] = Field(
        (),
        description="JSON list of roots: name, library, site, protocol, path, include, exclude",
        examples=['[{"name":"movies","library":"home","path":"/media/movies"}]'],
    )
    roots_folder: Path | None = Field(
        None,
        description="folder with a TOML file for each further root (`catalogizer roots add`), which is followed while it "
        "runs; unset: roots.d in the state folder",
    )
    reconcile_seconds: int = Field(900, ge=5, le=86_400, description="time between full reconciles of a root")
    identity_seconds: float = Field(5.0, ge=0.1, le=300, description="time between checks of a root's identity")
    outbox_limit: int = Field(1_000_000, ge=10_000, description="raw events kept while Kafka is away")
    md5_bytes_per_second: int = Field(
        20_000_000,
        ge=0,
        description="bytes read a second for the MD5 of files under 100 MB, all roots together; 0: none",
    )
    health: HealthSettings = Field(HealthSettings(), description="health page")

    @model_validator(mode="after")
    def _unique(self) -> ProducerSettings:
        names = [root.name for root in self.roots]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"root names must be unique, twice: {', '.join(twice)}")
        return self
