"""The producer's settings: which roots to watch, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from runtime.configuration import Section
from runtime.health import HealthSettings
from storage.share import SMB_PORT, Encryption, Share

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


_RENAME_WINDOW_MS = {"local": 2_000, "smb": 10_000}


class PollingSpec(Section):
    """How often a root is checked whose changes nothing reports."""

    hot_seconds: float = Field(
        1.0, ge=0.1, le=60, description="between looks at a directory that changed lately, s"
    )
    cold_seconds: float = Field(60.0, ge=1, le=86_400, description="between looks at any other directory, s")
    looks_per_second: int = Field(
        1_000, ge=10, le=1_000_000, description="looks at directories and files a second, at most"
    )


class RootSpec(Section):
    """One watched root."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="unique in the platform")
    library: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="the library it belongs to")
    site: str = Field(
        "main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="where its files can be read"
    )
    protocol: Literal["local", "smb"] = Field("local", description="how it is reached")
    path: Path = Field(
        Path(), description="absolute path of the directory; on a share the folder below it, unset: all of it"
    )
    host: str | None = Field(None, description="smb: name or address of the server")
    port: int = Field(SMB_PORT, ge=1, le=65_535, description="smb: its port")
    share: str | None = Field(None, description="smb: name of the share")
    user: str | None = Field(None, description="smb: the user's name; the right to read is enough")
    domain: str = Field("", description="smb: the user's domain; unset: the server itself")
    password: SecretStr | None = Field(None, description="smb: the user's password; better in a file")
    password_file: Path | None = Field(None, description="smb: file with the password, read at every connection")
    encryption: Encryption = Field(
        "if_offered", description="smb: `required` or `if_offered`; signed it always is"
    )
    include: tuple[str, ...] = Field((), description="glob patterns; when given, only matching files are observed")
    exclude: tuple[str, ...] = Field(
        (), description="glob patterns of names or paths below the root, beside the NAS defaults"
    )
    watch: Literal["auto", "inotify", "fanotify", "polling"] = Field(
        "auto", description="of a local root: how its changes are noticed; auto: by its file system"
    )
    polling: PollingSpec = Field(PollingSpec(), description="how often it is looked at, where it is polled")
    debounce_ms: int = Field(2_000, ge=0, le=60_000, description="quiet time before a change settles, ms")
    max_hold_ms: int = Field(
        30_000, ge=1_000, le=600_000, description="longest wait for a file still changing, ms"
    )
    rename_window_ms: int = Field(
        default_factory=lambda given: _RENAME_WINDOW_MS[given.get("protocol", "local")], ge=0, le=60_000,
        description="how long a deletion waits for its rename, ms; unset: 2000, and 10000 on a share",
    )  # fmt: skip

    @model_validator(mode="after")
    def _is_complete(self) -> RootSpec:
        if self.protocol == "smb":
            self.share_address  # noqa: B018 - whatever is wrong with it is raised
            if self.watch != "auto":
                raise ValueError(
                    f"watch is for local roots, and root {self.name!r} is on a share: its server reports changes"
                )
            return self
        if self.path == Path():
            raise ValueError(f"path of root {self.name!r} is missing")
        if not self.path.is_absolute():
            raise ValueError(f"path of root {self.name!r} must be absolute")
        if others := [name for name in SHARE_SETTINGS if getattr(self, name) != _default(name)]:
            raise ValueError(f"{others[0]} is for roots with protocol smb, and root {self.name!r} is local")
        return self

    @property
    def share_address(self) -> Share:
        """Where a root of protocol smb is. Raises ValidationError (a ValueError) where that is not configured."""
        given = {name: value for name in SHARE_SETTINGS if (value := getattr(self, name)) is not None}
        return Share(path="" if self.path == Path() else str(self.path), **given)

    @property
    def location(self) -> str:
        """Where it is, for people and in records: a path, or `//host/share/folder`."""
        return self.share_address.location if self.protocol == "smb" else str(self.path)


SHARE_SETTINGS = ("host", "port", "share", "user", "domain", "password", "password_file", "encryption")
"""Settings that only roots on shares have."""


def _default(name: str) -> object:
    return RootSpec.model_fields[name].default


class ProducerSettings(Section):
    """Settings of `catalogizer watch`."""

    name: str = Field(
        "producer", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="stable name of this producer"
    )
    roots: tuple[RootSpec, ...] = Field(
        (),
        description="JSON list of roots: name, library, site, protocol, path, include, exclude, watch, polling",
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
