"""A provider's settings, checked when they are read: an error found here is one line that names its key."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from gateway.access.roles import ROLE_IDS
from gateway.core.rights import ALL, MAX_NAMES, Rights
from runtime.configuration import Section

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"]
"""Accepted signature algorithms. None of them is symmetric: anybody with the public key could sign with it."""

ALGORITHMS: tuple[Algorithm, ...] = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519",
)  # fmt: skip

_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?")


class Grant(Section):
    """A role, and what its owner may see."""

    role: Literal["viewer", "operator", "admin"] = Field("viewer", description="what the person may do")
    channels: tuple[str, ...] = Field(
        (ALL,), max_length=MAX_NAMES, description="channels the person may follow; `*`: all"
    )
    libraries: tuple[str, ...] = Field(
        (), max_length=MAX_NAMES, description="libraries the person may see; `*`: all"
    )
    storage_roots: tuple[str, ...] | None = Field(
        None, max_length=MAX_NAMES, description="roots the person may see; unset: all, unless libraries are named"
    )

    @property
    def role_id(self) -> int:
        """See `access.roles`."""
        return ROLE_IDS[self.role]

    @property
    def rights(self) -> Rights:
        """What its owner may see."""
        roots = self.storage_roots
        if roots is None:
            roots = () if self.libraries else (ALL,)
        return Rights.of(self.channels, self.libraries, roots)


class ProviderSettings(Section):
    """One provider of OpenID Connect."""

    id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,31}$",
        description="its name in addresses and before the names of its accounts; never changed",
    )
    name: str = Field(min_length=1, max_length=64, description="as the sign-in page shows it")
    issuer: str = Field(description="its issuer, exactly as in its discovery document")
    client_id: str = Field(min_length=1, max_length=255, description="our client id at the provider")
    client_secret: SecretStr | None = Field(None, description="unset: a public client, protected only by PKCE")
    client_secret_file: Path | None = Field(None, description="a file with the client secret")
    client_auth: Literal["client_secret_basic", "client_secret_post"] = Field(
        "client_secret_basic", description="how the secret is sent to it"
    )
    scopes: tuple[str, ...] = Field(("openid", "profile", "email"), description="scopes requested at a sign-in")
    sign_in: bool = Field(
        True, description="the page has a button for it; false: only its bearer tokens are accepted"
    )
    hosts: tuple[str, ...] = Field(
        (), description="hosts besides the issuer's, with their ports, that its discovery document may name"
    )
    ca_file: Path | None = Field(None, description="PEM file of authorities; unset: those that the system trusts")
    algorithms: tuple[Algorithm, ...] = Field(
        ALGORITHMS,
        description="accepted signature algorithms; never `none` or one with a shared key",
    )
    audiences: tuple[str, ...] = Field(
        (), description="accepted `aud` of access tokens; none: its bearer tokens are not accepted"
    )
    token_types: tuple[Literal["at+jwt", "JWT"], ...] = Field(
        ("at+jwt",),
        description="`typ` of its access tokens; `JWT` for one that does not follow RFC 9068",
    )
    name_claim: str = Field("preferred_username", description="claim with the name for a new account")
    groups_claim: str = Field(
        "groups", description="claim with the values of `mapping`, or a path to it such as realm_access.roles"
    )
    mapping: dict[str, Grant] = Field(
        {},
        description="value of the claim -> {role, channels, libraries, storage_roots}; of several that match, the union"
        " and the highest role",
    )
    default: Grant | None = Field(None, description="for people who match nothing; unset: they are refused")
    first_sign_in: Literal["provision", "refuse"] = Field(
        "provision",
        description="whether a new person gets an account, or must have been linked to one",
    )
    token_minutes: int = Field(
        10,
        ge=1,
        le=1_440,
        description="life of our session token; after it the provider is asked to confirm the person",
    )
    session_hours: int = Field(12, ge=1, le=720, description="after so long the person must sign in again")
    without_provider_hours: int = Field(
        24, ge=0, le=720, description="how long sessions are refreshed while the provider does not answer"
    )
    end_session: bool = Field(False, description="signing out here leads to the provider's own sign-out too")

    @field_validator("issuer")
    @classmethod
    def _is_an_issuer(cls, issuer: str) -> str:
        """HTTPS, except on this machine (OpenID Connect Discovery, section 3)."""
        parts = urlsplit(issuer)
        if parts.query or parts.fragment or "@" in parts.netloc or not parts.hostname:
            raise ValueError("must be https://host, perhaps a port and a path, nothing else")
        check_address(issuer)
        return issuer

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} is not a host in lower case, perhaps with a port")
        return hosts

    @field_validator("algorithms", "token_types")
    @classmethod
    def _some(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not values:
            raise ValueError("one at least")
        return values

    @field_validator("scopes")
    @classmethod
    def _openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError("openid must be among them")
        if any(not scope or not scope.isprintable() or " " in scope for scope in scopes):
            raise ValueError("each is one word")
        return scopes

    @model_validator(mode="after")
    def _consistent(self) -> ProviderSettings:
        if self.client_secret is not None and self.client_secret_file is not None:
            raise ValueError("client_secret or client_secret_file, not both")
        if self.client_secret_file is not None:
            try:
                secret = self.client_secret_file.read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"client_secret_file: {error}") from error
            if not secret:
                raise ValueError(f"client_secret_file: {self.client_secret_file} is empty")
        if "JWT" in self.token_types and self.client_id in self.audiences:
            raise ValueError(
                "audiences: client_id among them and JWT in token_types: ID tokens would be accepted as access tokens"
            )
        grants = [*self.mapping.values(), *([] if self.default is None else [self.default])]
        for kind in ("channels", "libraries", "roots"):
            if len(frozenset().union(*(getattr(grant.rights, kind) for grant in grants))) > MAX_NAMES:
                raise ValueError(f"mapping: more than {MAX_NAMES} {kind} in all, and somebody may have all of it")
        if not grants:
            raise ValueError("mapping: nothing in it and no default: nobody could sign in")
        return self

    @property
    def secret(self) -> str | None:
        """The client secret."""
        if self.client_secret_file is not None:
            return self.client_secret_file.read_text().strip()
        return None if self.client_secret is None else self.client_secret.get_secret_value()

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The hosts to which it may make us send requests."""
        return frozenset({urlsplit(self.issuer).netloc.lower(), *self.hosts})


def check_address(url: str) -> None:
    """Raises ValueError unless the address is HTTPS, or plain HTTP on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and is_this_machine(parts.hostname or ""):
        return
    raise ValueError("must begin with https://; http:// is for this machine alone")


def check_providers(providers: tuple[ProviderSettings, ...]) -> None:
    """Raises ValueError if two have the same id or issuer."""
    for field in ("id", "issuer"):
        values = [getattr(provider, field) for provider in providers]
        if twice := next((value for value in values if values.count(value) > 1), None):
            raise ValueError(f"two providers have the {field} {twice!r}")


def is_this_machine(host: str) -> bool:
    """True for a name or address that can only mean this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
