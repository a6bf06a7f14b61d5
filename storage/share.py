"""The address of a share, and the account used there."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from runtime.configuration import Section
from storage.errors import ShareFault

SMB_PORT = 445
_NO_NAME = frozenset('/\\:*?"<>|')

Encryption = Literal["required", "if_offered"]


class Share(Section):
    """A folder of a share on an SMB server."""

    host: str = Field(min_length=1, pattern=r"^[^/\\\s]+$", description="name or address of the server")
    port: int = Field(SMB_PORT, ge=1, le=65_535, description="its port")
    share: str = Field(min_length=1, max_length=80, description="name of the share")
    path: str = Field("", description="folder of the share, `/` between names; unset: all of it")
    user: str = Field(min_length=1, description="the user's name")
    domain: str = Field("", description="the user's domain; unset: the server itself")
    password: SecretStr | None = Field(None, description="the user's password")
    password_file: Path | None = Field(
        None, description="file with the password; it is read at every connection, so it may be changed"
    )
    encryption: Encryption = Field(
        "if_offered", description="`required`: a server that cannot encrypt is refused; signed it always is"
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Share:
        if set(self.share) & _NO_NAME:
            raise ValueError(f"share must be a name without a path, got {self.share!r}")
        if any(part in (".", "..") for part in self.folder.split("/")):
            raise ValueError("path leads out of the share")
        if self.password is not None and self.password_file is not None:
            raise ValueError("give password or password_file, not both")
        if self.password is None and self.password_file is None:
            raise ValueError("password_file, or password, is missing")
        return self

    @property
    def folder(self) -> str:
        """The folder below the share, without slashes at its ends; `""`: all of it."""
        return "/".join(part for part in self.path.replace("\\", "/").split("/") if part)

    @property
    def location(self) -> str:
        """In the usual notation: `//host/share/folder`."""
        host = self.host if self.port == SMB_PORT else f"{self.host}:{self.port}"
        return f"//{host}/{self.share}" + (f"/{self.folder}" if self.folder else "")

    @property
    def account(self) -> str:
        """The user in the protocol's notation."""
        return f"{self.domain}\\{self.user}" if self.domain else self.user

    def secret(self) -> str:
        """The present password. Raises ShareFault where its file cannot be read."""
        if self.password is not None:
            return self.password.get_secret_value()
        assert self.password_file is not None
        try:
            return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise ShareFault("refused", f"the password's file {self.password_file}: {why}") from error
